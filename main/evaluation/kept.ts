import * as z from 'zod';
import type { DataKind } from '../../preload/contract/evaluation.ts';
import type { ChoiceReading } from './choices.ts';
import type { DocumentReading } from './documents.ts';

/** Where readings of items are kept, so that a measurement that broke off goes on behind them. */
export interface Kept {
  /** Of the first items, as JSON has them. */
  readonly readings: readonly unknown[];
  /** Of the next item. */
  add(reading: unknown): void;
}

/** Bytes of numbers in base64: they come back to the bit, infinity included. */
const numbers = <Array extends Float64Array | Int32Array>(kind: {
  new (buffer: ArrayBuffer): Array;
}) =>
  z.codec(z.string(), z.instanceof(kind), {
    decode: (text) => new kind(Uint8Array.from(Buffer.from(text, 'base64')).buffer),
    encode: ({ buffer, byteOffset, byteLength }) =>
      Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
  });

const tokens = z.object({
  ids: numbers(Int32Array),
  nats: numbers(Float64Array),
  top: numbers(Int32Array),
  confidence: numbers(Float64Array),
});

const document = z.object({
  bytes: z.number(),
  model: tokens,
  base: tokens.nullable(),
  kl: numbers(Float64Array),
}) satisfies z.ZodType<DocumentReading>;

/** Of the model and, where there is one, of the base. */
const both = <Reading extends z.ZodType>(reading: Reading) =>
  z.object({ own: reading, other: z.array(reading).max(1) });

/** Σ ln p may be −∞, which JSON does not have. */
const logProbabilities = z.codec(
  numbers(Float64Array),
  z.custom<readonly number[]>(Array.isArray),
  {
    decode: (values) => [...values],
    encode: (values) => Float64Array.from(values),
  },
);

const choices = z.object({
  answer: z.number(),
  logProbabilities,
  bytes: z.array(z.number()),
}) satisfies z.ZodType<ChoiceReading>;

/** How what was read of an item is kept, by the kind of data. */
export const readingCodecs = {
  documents: document,
  choices: both(choices),
  pairs: both(z.boolean()),
  continuations: both(z.object({ isRight: z.boolean(), text: z.string() })),
} satisfies Record<DataKind, z.ZodType>;
