import * as z from 'zod';
import { circumstancesSchema } from './circumstances.ts';

/** What a measure reads: whole texts, questions, sentence pairs, or prompts with an expected rest. */
export const dataKindSchema = z.enum(['documents', 'choices', 'pairs', 'continuations']);
export type DataKind = z.infer<typeof dataKindSchema>;

/** Every measure of quality: what it reads, and whether it needs a model to compare with. */
export const metrics = {
  perplexity: { reads: 'documents', needsBase: false },
  'bits-per-byte': { reads: 'documents', needsBase: false },
  'rare-token-loss': { reads: 'documents', needsBase: false },
  'calibration-error': { reads: 'documents', needsBase: false },
  kl: { reads: 'documents', needsBase: true },
  'top-1': { reads: 'documents', needsBase: true },
  'delta-perplexity': { reads: 'documents', needsBase: true },
  'first-divergence': { reads: 'documents', needsBase: true },
  accuracy: { reads: 'choices', needsBase: false },
  'accuracy-norm': { reads: 'choices', needsBase: false },
  'minimal-pairs': { reads: 'pairs', needsBase: false },
  'last-word': { reads: 'continuations', needsBase: false },
  'exact-match': { reads: 'continuations', needsBase: false },
  f1: { reads: 'continuations', needsBase: false },
  bleu: { reads: 'continuations', needsBase: false },
  chrf: { reads: 'continuations', needsBase: false },
} as const satisfies Record<string, { reads: DataKind; needsBase: boolean }>;

export type Metric = keyof typeof metrics;
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of the table above
export const metricNames = Object.keys(metrics) as [Metric, ...Metric[]];
export const metricSchema = z.enum(metricNames);

export const evaluateRequestSchema = z.object({
  /** A library name, `name/variant`, or an absolute folder. */
  model: z.string().min(1),
  /** The model to compare with, the base, named likewise. */
  against: z.string().min(1).optional(),
  /** All of them must read the same kind of data. */
  metrics: z.array(metricSchema).min(1),
  /** A set that ships with Lathe, or an absolute path: .txt, .json, .jsonl or .tsv. */
  data: z.string().min(1),
  /** Names that the fields of the data have in the file, where they have others: `text` → `story`. */
  fields: z.record(z.string(), z.string()).default({}),
  /** Only the first so many items. */
  limit: z.number().int().min(1).optional(),
  /** Texts longer than the context: read in windows that slide, or refused. */
  long: z.enum(['slide', 'refuse']).default('slide'),
  /** Of the bootstrap; two runs with one seed agree to the bit. */
  seed: z.number().int().nonnegative().default(0),
  /** Measure also what was measured before. */
  again: z.boolean().default(false),
});
export type EvaluateInput = z.input<typeof evaluateRequestSchema>;
export type EvaluateRequest = z.infer<typeof evaluateRequestSchema>;

/** The middle 95 % over resampled items, [low, high]; null where there are too few for it. */
const intervalSchema = z.tuple([z.number(), z.number()]).nullable();

/** One measure of one model on one data set. */
export const measurementSchema = z.object({
  value: z.number(),
  ci95: intervalSchema,
  /** Documents, questions, pairs or prompts it was measured on. */
  n: z.number().int().positive(),
  /** How it was measured; values of different protocols are not to be compared. */
  protocol: z.string(),
  /** What else the measure tells: `median`, `p99`, `max`, `tokens`; null where there is nothing to tell. */
  details: z.record(z.string(), z.union([z.number(), z.array(z.number().nullable())])),
  /** The base on the same items, and the difference model − base with a two-sided p-value. */
  against: z
    .object({
      value: z.number(),
      difference: z.number(),
      ci95: intervalSchema,
      pValue: z.number().min(0).max(1).nullable(),
    })
    .nullable(),
});
export type Measurement = z.infer<typeof measurementSchema>;

/** A measurement as it is kept. */
export const evaluationRecordSchema = measurementSchema.extend({
  id: z.number().int(),
  metric: metricSchema,
  /** Name of the model when it was measured, and its sha256 over the weight files. */
  model: z.string(),
  modelSha256: z.string(),
  /** Name of the base, or null. */
  base: z.string().nullable(),
  /** Name or path of the data, and the sha256 of its file. */
  data: z.string(),
  dataSha256: z.string(),
  ...circumstancesSchema.shape,
});
export type EvaluationRecord = z.infer<typeof evaluationRecordSchema>;

/** Which measurements are asked for; what is left out is not looked at. */
export const evaluationFilterSchema = z
  .object({ model: z.string().optional(), metric: metricSchema.optional() })
  .prefault({});
