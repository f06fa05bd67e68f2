import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { isMainThread, parentPort, Worker } from 'node:worker_threads';

/**
 * Read bandwidth of the memory in bytes per second: `threads` workers sum memory far larger than
 * any cache, 64 bytes per turn, with vector instructions of WebAssembly. Best of `passes`: what
 * disturbs a pass only makes it slower.
 */
export async function readBandwidth(threads: number, passes: number): Promise<number> {
  const workers = Array.from({ length: threads }, () => new Worker(new URL(import.meta.url)));
  try {
    await Promise.all(workers.map(answer));
    let best = 0;
    for (let pass = 0; pass < passes; pass++) {
      const start = performance.now();
      for (const worker of workers) worker.postMessage(null);
      await Promise.all(workers.map(answer));
      best = Math.max(best, (threads * bytesPerThread * 1000) / (performance.now() - start));
    }
    return best;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

const answer = (worker: Worker): Promise<unknown> => once(worker, 'message');

const bytesPerThread = 512 * 1024 * 1024;

/** A module that exports 512 MiB of memory and `sum(end)`: the float32 below `end` added up. */
const summing = [
  '0061736d 01000000', // WebAssembly 1
  '01 06 01 60 01 7f 01 7d', // type 0: (i32) → f32
  '03 02 01 00', // function 0 has type 0
  '05 04 01 00 8040', // memory 0: 8,192 pages
  '07 10 02 03 73756d 00 00 06 6d656d6f7279 02 00', // exports "sum", "memory"
  '0a 60 01 5e', // code: one function of 94 bytes
  '02 01 7f 04 7b', // locals: 1 is i32, 2 to 5 are vectors
  '03 40', // loop
  '20 01 fd 00 04 00 20 02 fd e401 21 02', // local 2 += f32x4 at local 1
  '20 01 fd 00 04 10 20 03 fd e401 21 03', // local 3 += f32x4 16 bytes further
  '20 01 fd 00 04 20 20 04 fd e401 21 04', // local 4 += f32x4 32 bytes further
  '20 01 fd 00 04 30 20 05 fd e401 21 05', // local 5 += f32x4 48 bytes further
  '20 01 41 c000 6a 22 01', // local 1 += 64
  '20 00 49 0d 00 0b', // again while local 1 < end
  '20 02 20 03 fd e401 20 04 fd e401 20 05 fd e401', // all four
  'fd 1f 00 0b', // lane 0 is the result
];

if (!isMainThread && parentPort) {
  const port = parentPort;
  const code = Buffer.from(summing.join('').replaceAll(' ', ''), 'hex');
  const { sum, memory } = new WebAssembly.Instance(new WebAssembly.Module(code)).exports;
  if (typeof sum !== 'function' || !(memory instanceof WebAssembly.Memory))
    throw new Error('the summing module exports something else');
  // Written once: memory never written to may be one physical page seen many times.
  new Float32Array(memory.buffer).fill(1);
  // Enough turns for the optimising compiler to take over.
  for (let turn = 0; turn < 20; turn++) sum(4 * 1024 * 1024);
  port.on('message', () => port.postMessage(sum(bytesPerThread)));
  port.postMessage(null);
}
