import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { float32, Session } from '../../main/inference/session.ts';
import { int } from '../../main/onnx/attributes.ts';
import { GraphBuilder } from '../../main/onnx/build.ts';
import { saveModel } from '../../main/onnx/save.ts';

/** A process that measures how fast the memory can be read. */
export interface BandwidthProbe {
  readonly pid: number;
  /** Bytes per second: the best of a few passes, as whatever disturbs one makes it slower. */
  measure(): Promise<number>;
  close(): void;
}

/** 16 rows of 64 MiB: far larger than any cache, and several rows for every thread. */
const rows = 16;
const columns = 16 * 1024 * 1024;
const passes = 5;

/**
 * Starts a process that sums up 1 GiB of float32 with onnxruntime (ReduceSum along rows, in vectors,
 * `threads` at once). It does as little with what it reads as a product with one vector does, and
 * agrees with a C program of vector loads. `environment` matters: in huge pages memory is faster.
 */
export async function startBandwidthProbe(
  folder: string,
  threads: number,
  environment: NodeJS.ProcessEnv,
): Promise<BandwidthProbe> {
  const child = fork(import.meta.filename, [folder, String(threads)], { env: environment });
  await once(child, 'message');
  if (!child.pid) throw new Error('the probe did not start');
  return {
    pid: child.pid,
    async measure() {
      const answer = once(child, 'message');
      child.send('measure');
      const [best]: number[] = await answer;
      return best;
    },
    close: () => void child.kill(),
  };
}

async function serve(folder: string, threads: number): Promise<void> {
  const graph = new GraphBuilder({ name: 'sum', opset: 17, irVersion: 8 });
  graph.input('values', 'float32', [rows, columns]);
  const attributes = { keepdims: int(0) };
  graph.node('ReduceSum', ['values', graph.i64([1])], { outputs: ['sums'], attributes });
  graph.output('sums', 'float32', [rows]);
  const file = join(folder, 'sum.onnx');
  saveModel(graph.finish(), file);
  const session = await Session.open(file, { threads, device: 'cpu' });
  // Written once: memory never written to may be one page seen many times.
  const values = float32(new Float32Array(rows * columns).fill(1), [rows, columns]);
  const pass = async (): Promise<number> => {
    const start = performance.now();
    await session.run({ values }, ['sums']);
    return (4000 * rows * columns) / (performance.now() - start);
  };
  process.on('message', async () => {
    let best = 0;
    for (let count = 0; count < passes; count++) best = Math.max(best, await pass());
    process.send?.(best);
  });
  process.send?.('ready');
}

const [, script, folder, threads] = process.argv;
if (script === import.meta.filename) await serve(folder, Number(threads));
