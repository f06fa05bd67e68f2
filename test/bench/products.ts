import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { float32, Session } from '../../main/inference/session.ts';
import { int } from '../../main/onnx/attributes.ts';
import { GraphBuilder } from '../../main/onnx/build.ts';
import { loadModel } from '../../main/onnx/load.ts';
import { saveModel } from '../../main/onnx/save.ts';

/** A process that times the matrix products of one token and nothing else. */
export interface ProductsProbe {
  /** Milliseconds: the median of a few tokens. */
  measure(): Promise<number>;
  close(): void;
}

const passes = 9;

/**
 * Starts a process that multiplies one row by every matrix of a fused graph, in its order and with
 * its weights: what is left of decoding when all else costs nothing. No engine over this runtime
 * can decode float32 faster.
 */
export async function startProductsProbe(
  graph: string,
  threads: number,
  environment: NodeJS.ProcessEnv,
): Promise<ProductsProbe> {
  const child = fork(import.meta.filename, [graph, String(threads)], { env: environment });
  await once(child, 'message');
  return {
    async measure() {
      const answer = once(child, 'message');
      child.send('measure');
      const [ms]: number[] = await answer;
      return ms;
    },
    close: () => void child.kill(),
  };
}

async function serve(graph: string, threads: number): Promise<void> {
  const file = join(graph, '..', 'products.onnx');
  if (!existsSync(file)) write(graph, file);
  const session = await Session.open(file, { threads, device: 'cpu' });
  const feeds = Object.fromEntries(
    session.inputs.map(({ name, shape }) => {
      const size = Number(shape.at(-1));
      return [name, float32(new Float32Array(size).fill(0.5), [1, 1, size])];
    }),
  );
  const outputs = session.outputs.map(({ name }) => name);
  process.on('message', async () => {
    const times: number[] = [];
    for (let pass = 0; pass < passes; pass++) {
      const start = performance.now();
      await session.run(feeds, outputs);
      times.push(performance.now() - start);
    }
    process.send?.(times.toSorted((a, b) => a - b)[passes >> 1]);
  });
  process.send?.('ready');
}

/** The products of a graph alone; of each result only the largest value is fetched. */
function write(graph: string, file: string): void {
  const whole = loadModel(graph);
  const builder = new GraphBuilder({ name: 'products', opset: 17, irVersion: 8, msOpset: true });
  const inputs = new Map<number, string>();
  for (const {
    opType,
    domain,
    inputs: [, name],
  } of whole.graph.nodes) {
    const weight = whole.graph.initializers.get(name ?? '');
    if (opType !== 'FusedMatMul' || weight === undefined) continue;
    const columns = weight.dims[1];
    const input = inputs.get(columns) ?? builder.input(`row${columns}`, 'float32', [1, 1, columns]);
    inputs.set(columns, input);
    const [product] = builder.node('FusedMatMul', [input, builder.initializer(weight)], {
      domain,
      attributes: { transB: int(1) },
    });
    const largest = `largest.${weight.name}`;
    builder.node('ReduceMax', [product], {
      outputs: [largest],
      attributes: { keepdims: int(0) },
    });
    builder.output(largest, 'float32', []);
  }
  saveModel(builder.finish(), file);
  whole.close();
}

const [, script, graph, threads] = process.argv;
if (script === import.meta.filename) await serve(graph, Number(threads));
