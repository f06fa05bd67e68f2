import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import type { Device } from '../../preload/contract/system.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import { probeModel } from './probeModel.ts';

// The runtime would keep a device's id in the user's cache folder and report how it is used. It asks
// when its first session is made.
process.env['ORT_DISABLE_TELEMETRY'] = '1';

// Failures are thrown, and reported by whoever catches them.
env.logLevel = 'fatal';

/** A named n-dimensional array as the runtime takes and gives it; `data` is a typed array. */
export type { Tensor };

/** Tensors by input or output name. */
export type Tensors = Record<string, Tensor>;

/** A graph input or output as the model declares it; a symbolic dimension is its name. */
export interface Port {
  readonly name: string;
  /** `sequence` is anything that is no tensor. */
  readonly dataType: string;
  readonly shape: readonly (number | string)[];
}

export interface SessionOptions {
  /** Threads within an operator; the number of physical cores is fastest. */
  readonly threads: number;
  readonly device: Device;
  /** Path and beginning of the name of a file that is to say what every node took; see `endProfiling`. */
  readonly profile?: string | undefined;
  /** The folder of files that a model from memory has weights in. */
  readonly weights?: string | undefined;
}

/**
 * The name of the first output of graphs made for `runInto`. It is a sequence: fetching it makes
 * the binding throw after the run is complete and before it copies any output.
 */
export const fetchGuard = 'fetch_guard';

/** What the binding of the pinned version says on meeting a fetched sequence. */
const guardMessage = 'Non tensor type is temporarily not supported.';

/** A float32 tensor over `data`, which is not copied: the next run sees what is written there. */
export function float32(data: Float32Array, dims: readonly number[]): Tensor {
  return new Tensor('float32', data, dims);
}

/** A float64 tensor over `data`, which is not copied. */
export function float64(data: Float64Array, dims: readonly number[]): Tensor {
  return new Tensor('float64', data, dims);
}

/** A uint8 tensor over `data`, which is not copied. */
export function uint8(data: Uint8Array, dims: readonly number[]): Tensor {
  return new Tensor('uint8', data, dims);
}

/** A tensor of truth values over `data`, 0 or 1 each, which is not copied. */
export function bool(data: Uint8Array, dims: readonly number[]): Tensor {
  return new Tensor('bool', data, dims);
}

/** An int64 tensor over `data`, which is not copied. */
export function int64(data: BigInt64Array, dims: readonly number[]): Tensor {
  return new Tensor('int64', data, dims);
}

/** An int32 tensor over `data`, which is not copied. */
export function int32(data: Int32Array, dims: readonly number[]): Tensor {
  return new Tensor('int32', data, dims);
}

/** The values of a float32 tensor. Throws `runtime_failed` where the runtime gave another type. */
export function floatsOf({ data, type }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  throw new LatheError('runtime_failed', `the runtime gave another type than float32: ${type}`);
}

/** The values of a float64 tensor; see `floatsOf`. */
export function doublesOf({ data, type }: Tensor): Float64Array {
  if (data instanceof Float64Array) return data;
  throw new LatheError('runtime_failed', `the runtime gave another type than float64: ${type}`);
}

/** The values of an int32 tensor; see `floatsOf`. */
export function integersOf({ data, type }: Tensor): Int32Array {
  if (data instanceof Int32Array) return data;
  throw new LatheError('runtime_failed', `the runtime gave another type than int32: ${type}`);
}

/** One model loaded into onnxruntime. Runs block the calling thread; one at a time. */
export class Session {
  readonly file: string;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly threads: number;
  readonly device: Device;
  /** Whether `runInto` may be called: the graph has the guard and this binding honours it. */
  readonly canRunInto: boolean;
  readonly #session: InferenceSession;

  private constructor(
    file: string,
    session: InferenceSession,
    options: SessionOptions,
    canRunInto: boolean,
  ) {
    this.file = file;
    this.#session = session;
    this.inputs = session.inputMetadata.map(portOf);
    this.outputs = session.outputMetadata.map(portOf);
    this.threads = options.threads;
    this.device = options.device;
    this.canRunInto = canRunInto;
  }

  /**
   * Loads a model by path, so that external data is mapped rather than read into memory twice.
   * Throws `runtime_failed` (with the device where it is at fault) or `memory_limit`.
   */
  static async open(file: string, options: SessionOptions): Promise<Session> {
    const session = await create(file, file, options);
    return new Session(file, session, options, await isGuarded(session, options));
  }

  /** Loads a small model from memory; `name` stands for it in messages. Throws as `open` does. */
  static async fromBytes(
    bytes: Uint8Array,
    name: string,
    options: SessionOptions,
  ): Promise<Session> {
    const session = await create(bytes, name, options);
    return new Session(name, session, options, await isGuarded(session, options));
  }

  /** Runs and fetches the named outputs; each is a new tensor that belongs to the caller. */
  async run(feeds: Tensors, outputs: readonly string[]): Promise<Tensors> {
    try {
      return await this.#session.run(feeds, outputs);
    } catch (error) {
      throw runFailure(error, this.file);
    }
  }

  /**
   * Runs and writes the outputs into the tensors given, in place and without a copy; a tensor may
   * be an input at the same time where the operator allows it. Only where `canRunInto` says so.
   */
  async runInto(feeds: Tensors, outputs: Tensors): Promise<void> {
    try {
      await this.#session.run(feeds, { [fetchGuard]: null, ...outputs });
    } catch (error) {
      if (isGuardError(error)) return;
      throw runFailure(error, this.file);
    }
    throw new LatheError('internal', 'the runtime returned outputs it was to leave in place', {
      file: this.file,
    });
  }

  /** Completes the file that `profile` asked for. */
  endProfiling(): void {
    this.#session.endProfiling();
  }

  /** Frees the model. The session is not to be used afterwards. */
  async close(): Promise<void> {
    await this.#session.release();
  }
}

async function isGuarded(session: InferenceSession, { device }: SessionOptions): Promise<boolean> {
  return session.outputNames[0] === fetchGuard && device === 'cpu' && (await probe());
}

let probed: Promise<boolean> | undefined;

/** Finds out, once per process, whether the binding fills preallocated outputs behind the guard. */
function probe(): Promise<boolean> {
  probed ??= runProbe().catch(() => false);
  return probed;
}

async function runProbe(): Promise<boolean> {
  const session = await InferenceSession.create(probeModel(), sessionOptions(1, 'cpu'));
  const value = new Tensor('float32', Float32Array.of(21), [1]);
  const sum = new Tensor('float32', Float32Array.of(0), [1]);
  try {
    await session.run({ value }, { [fetchGuard]: null, sum });
    return false;
  } catch (error) {
    return isGuardError(error) && sum.data[0] === 42;
  } finally {
    await session.release();
  }
}

async function create(
  source: string | Uint8Array,
  file: string,
  { threads, device, profile, weights }: SessionOptions,
): Promise<InferenceSession> {
  const settings = {
    ...sessionOptions(threads, device, weights),
    ...(profile !== undefined && { enableProfiling: true, profileFilePrefix: profile }),
  };
  try {
    return typeof source === 'string'
      ? await InferenceSession.create(source, settings)
      : await InferenceSession.create(source, settings);
  } catch (error) {
    if (device !== 'cpu')
      throw new LatheError(
        'runtime_failed',
        `${device} cannot run this model here, try the device cpu: ${firstLine(error)}`,
        { file, value: device },
        { cause: error },
      );
    throw runFailure(error, file);
  }
}

function sessionOptions(
  threads: number,
  device: Device,
  weights?: string,
): InferenceSession.SessionOptions {
  return {
    // Alone: what a device cannot do runs on the processor anyway, and in a longer list a device
    // that is not there would be passed over in silence.
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // As for `env.logLevel`.
    logSeverityLevel: 4,
    // Waiting threads spin this long before they sleep: full speed within a token, a free
    // processor between tokens.
    extra: {
      session: {
        intra_op: { spin_duration_us: '100' },
        // Weights in standard QDQ form are multiplied as the standard says: left to itself, the
        // runtime would also round activations to 8 bit.
        qdq_matmulnbits_accuracy_level: '1',
        ...(weights !== undefined && { model_external_initializers_file_folder_path: weights }),
      },
    },
  };
}

function portOf(metadata: InferenceSession.ValueMetadata): Port {
  return metadata.isTensor
    ? { name: metadata.name, dataType: metadata.type, shape: metadata.shape }
    : { name: metadata.name, dataType: 'sequence', shape: [] };
}

function isGuardError(error: unknown): boolean {
  return error instanceof Error && error.message === guardMessage;
}

/** A failure of the runtime as a typed error; it names the node where the runtime does. */
function runFailure(error: unknown, file: string): LatheError {
  const message = firstLine(error);
  const node = /Name:'([^']+)'/.exec(message)?.[1];
  const code = /bad_alloc|bad allocation|failed to allocate memory/i.test(message)
    ? 'memory_limit'
    : 'runtime_failed';
  return new LatheError(
    code,
    `the runtime failed: ${message}`,
    { file, ...(node === undefined ? {} : { node }) },
    { cause: error },
  );
}

function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? '';
}
