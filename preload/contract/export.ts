import * as z from 'zod';
import { progressSchema } from './models.ts';

/**
 * What an exported folder is for: transformers.js, onnxruntime-genai, the readers of Hugging Face's
 * safetensors, or another Lathe.
 */
export const exportFormatSchema = z.enum([
  'transformers-js',
  'onnxruntime-genai',
  'safetensors-f16',
  'lathe',
]);
export type ExportFormat = z.infer<typeof exportFormatSchema>;

export const exportRequestSchema = z.object({
  /** A library name, `name/variant`, or an absolute folder. */
  model: z.string().min(1),
  format: exportFormatSchema,
  /** Absolute; must not be there yet, or be empty. */
  folder: z.string().min(1),
});
export type ExportRequest = z.infer<typeof exportRequestSchema>;

export const exportedFileSchema = z.object({
  /** Within the folder, with `/` between names. */
  path: z.string(),
  bytes: z.number().int().nonnegative(),
  sha256: z.string(),
});
export type ExportedFile = z.infer<typeof exportedFileSchema>;

/** A complete export. */
export const exportResultSchema = z.object({
  format: exportFormatSchema,
  folder: z.string(),
  files: z.array(exportedFileSchema),
});
export type ExportResult = z.infer<typeof exportResultSchema>;

export const exportEventSchema = z.discriminatedUnion('kind', [
  progressSchema,
  exportResultSchema.extend({ kind: z.literal('done') }),
]);
export type ExportEvent = z.infer<typeof exportEventSchema>;
