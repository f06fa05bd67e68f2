import { endianness } from 'node:os';
import type {
  Capture,
  Difference,
  DifferenceInput,
  EngineClient,
  Head,
} from '../../preload/contract/index.ts';
import { UsageError, type Arguments, type Options } from './arguments.ts';
import type { Context } from './command.ts';
import { modelOf } from './model.ts';
import { noteProgress, tellsProgress } from './output.ts';
import { promptOf, promptOptions } from './prompt.ts';

/** Options of commands that run a prompt to look inside. */
export const captureOptions: Options = {
  ...promptOptions,
  ablate: {
    placeholder: 'L.H',
    multiple: true,
    help: 'count the output of head H of layer L as zero; may be given again',
  },
};

/** Runs the prompt that was typed and keeps what the model computed, in its runner. */
export async function captureOf(
  { args, json, signal }: Context,
  client: EngineClient,
  typed: string,
): Promise<Capture> {
  const model = await modelOf(typed, client);
  const request = { model, prompt: promptOf(args), ablate: ablated(args) };
  for await (const event of await client.inspect.capture(request, { signal })) {
    if (event.kind === 'done') return event.capture;
    if (tellsProgress(json)) noteProgress(event);
  }
  throw new Error('a capture ended without a result');
}

/** Compares two models on a text. */
export async function differenceOf(
  { json, signal }: Pick<Context, 'json' | 'signal'>,
  client: EngineClient,
  request: DifferenceInput,
): Promise<Difference> {
  for await (const event of await client.inspect.difference(request, { signal })) {
    if (event.kind === 'done') return event.difference;
    if (tellsProgress(json)) noteProgress(event);
  }
  throw new Error('a comparison ended without a result');
}

/** The heads that were typed as layer and head: `3.7`. */
export const ablated = (args: Arguments): Head[] =>
  args.texts('ablate').map((text) => {
    const [, layer, head] = /^(\d+)\.(\d+)$/.exec(text) ?? [];
    if (layer === undefined) {
      throw new UsageError(`--ablate must be a layer and a head, as in 3.7: ${text}`);
    }
    return { layer: Number(layer), head: Number(head) };
  });

/** An option that counts from 0. */
export function indexOf(args: Arguments, name: string): number | undefined {
  const index = args.number(name);
  if (index === undefined || (Number.isInteger(index) && index >= 0)) return index;
  throw new UsageError(`--${name} must be a whole number from 0: ${index}`);
}

/** Numbers as a JSON document holds them: the bytes, little-endian, in base64, with their shape. */
export interface EncodedArray {
  readonly type: 'float32' | 'int32';
  readonly shape: readonly number[];
  readonly base64: string;
}

/** Encodes an array of this shape. */
export function encoded(data: Float32Array | Int32Array, shape: readonly number[]): EncodedArray {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return {
    type: data instanceof Float32Array ? 'float32' : 'int32',
    shape,
    base64: (endianness() === 'LE' ? bytes : Buffer.from(bytes).swap32()).toString('base64'),
  };
}
