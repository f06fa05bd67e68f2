/**
 * Child process: loads models with onnxruntime, runs them, and answers with a digest of what came
 * out. Models may end or hang it; whoever started it starts another.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as ort from 'onnxruntime-node';
import { decodeTensor } from '../../main/onnx/tensorWire.ts';
import { readMessage } from '../../main/onnx/wire.ts';

// onnxruntime-node's native half cannot read a Float16Array and would see no elements; without the
// class its JavaScript half takes the bits as Uint16Array.
Reflect.deleteProperty(globalThis, 'Float16Array');

/** A model and, per run, the files that hold its inputs as TensorProto, in order. */
export interface Job {
  readonly model: string;
  readonly runs: readonly (readonly string[])[];
}

/** `refused` when it does not load; otherwise a digest or an error per run. */
export type Answer =
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'loaded'; readonly runs: readonly string[] };

async function answer({ model, runs }: Job): Promise<Answer> {
  let session: ort.InferenceSession;
  try {
    session = await ort.InferenceSession.create(model, {
      logSeverityLevel: 4,
      intraOpNumThreads: 1,
    });
  } catch (error) {
    return { kind: 'refused', message: String(error) };
  }
  const digests: string[] = [];
  for (const inputs of runs) {
    try {
      const feeds = Object.fromEntries(
        inputs.map((path, index) => [session.inputNames[index] ?? '', readTensor(path)]),
      );
      const outputs = await session.run(feeds);
      digests.push(digest(session.outputNames.map((name) => outputs[name])));
    } catch (error) {
      digests.push(`error: ${error instanceof Error ? error.message : 'unknown'}`);
    }
  }
  await session.release();
  return { kind: 'loaded', runs: digests };
}

const external = (): never => {
  throw new Error('external test data');
};

function readTensor(path: string): ort.Tensor {
  const bytes = readFileSync(path);
  const read = (offset: number, length: number): Uint8Array =>
    new Uint8Array(bytes.subarray(offset, offset + length));
  const { wire, offsets } = readMessage('Tensor', { length: bytes.length, path, read });
  const {
    dataType,
    dims,
    bytes: data,
    strings,
  } = decodeTensor(wire, { file: path, offsets, external });
  if (strings !== undefined) {
    const texts = strings.map((one) => new TextDecoder().decode(one));
    return new ort.Tensor('string', texts, dims);
  }
  const make = arrays[dataType];
  if (make === undefined) throw new Error(`no array for elements of ${dataType}`);
  const { buffer } = data.read().slice();
  return new ort.Tensor(dataType as 'float32', make(buffer) as Float32Array, dims);
}

const arrays: Record<string, ((buffer: ArrayBufferLike) => unknown) | undefined> = {
  float32: (buffer) => new Float32Array(buffer),
  float64: (buffer) => new Float64Array(buffer),
  float16: (buffer) => new Uint16Array(buffer),
  int64: (buffer) => new BigInt64Array(buffer),
  uint64: (buffer) => new BigUint64Array(buffer),
  int32: (buffer) => new Int32Array(buffer),
  uint32: (buffer) => new Uint32Array(buffer),
  int16: (buffer) => new Int16Array(buffer),
  uint16: (buffer) => new Uint16Array(buffer),
  int8: (buffer) => new Int8Array(buffer),
  uint8: (buffer) => new Uint8Array(buffer),
  bool: (buffer) => new Uint8Array(buffer),
};

function digest(outputs: readonly (ort.OnnxValue | undefined)[]): string {
  const hash = createHash('sha256');
  for (const output of outputs) {
    if (output === undefined) continue;
    hash.update(JSON.stringify([output.type, output.dims]));
    const { data } = output;
    if (Array.isArray(data)) hash.update(JSON.stringify(data));
    else hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

process.on('message', (job: Job) => {
  void answer(job).then((result) => process.send?.(result));
});
