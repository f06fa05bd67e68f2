import * as z from 'zod';
import { nextStepSchema } from './errors.ts';

export const deviceSchema = z.enum(['cpu', 'webgpu', 'cuda', 'coreml', 'dml']);
export type Device = z.infer<typeof deviceSchema>;

export const systemInfoSchema = z.object({
  version: z.string(),
  node: z.string(),
  onnxruntime: z.string(),
  platform: z.string(),
  cpu: z.string(),
  cores: z.number().int(),
  memoryBytes: z.number(),
  threads: z.number().int(),
  device: deviceSchema,
  home: z.string(),
});
export type SystemInfo = z.infer<typeof systemInfoSchema>;

const settingFields = z.object({
  threads: z.number().int().min(1).max(256).nullable(),
  device: deviceSchema,
  theme: z.enum(['system', 'light', 'dark']),
  /** Largest resident set of one runner in bytes; null: 80 % of the machine's memory. */
  memoryLimitBytes: z.number().positive().nullable(),
});

export const settingsSchema = z.object({
  threads: settingFields.shape.threads.default(null),
  device: settingFields.shape.device.default('cpu'),
  theme: settingFields.shape.theme.default('system'),
  memoryLimitBytes: settingFields.shape.memoryLimitBytes.default(null),
});
export type Settings = z.infer<typeof settingsSchema>;

/** What is left out stays as it was. (A partial `settingsSchema` would fill in defaults.) */
export const settingsChangesSchema = settingFields.partial();
export type SettingsChanges = z.infer<typeof settingsChangesSchema>;

/** What a runner is doing; one per loaded model. */
export const runnerStateSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('loading'), model: z.string() }),
  z.object({
    kind: z.literal('ready'),
    model: z.string(),
    rssBytes: z.number(),
    fastCache: z.boolean(),
  }),
  z.object({
    kind: z.literal('busy'),
    model: z.string(),
    rssBytes: z.number(),
    queued: z.number().int(),
  }),
  z.object({
    kind: z.literal('dead'),
    model: z.string(),
    code: z.string(),
    message: z.string(),
    next: z.array(nextStepSchema),
  }),
  z.object({ kind: z.literal('unloaded'), model: z.string() }),
]);
export type RunnerState = z.infer<typeof runnerStateSchema>;

/** Told to every open window as it happens. */
export const engineEventSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('runner'), state: runnerStateSchema }),
  z.object({ kind: z.literal('models-changed') }),
  z.object({ kind: z.literal('runs-changed') }),
  /** A job was made, removed, or changed its state; how far it is, `jobs.watch` tells. */
  z.object({ kind: z.literal('jobs-changed') }),
  /** Something was measured, or a measurement was removed. */
  z.object({ kind: z.literal('measurements-changed') }),
]);
export type EngineEvent = z.infer<typeof engineEventSchema>;

/** A folder as the in-app folder picker shows it. */
export const folderListingSchema = z.object({
  path: z.string(),
  parent: z.string().nullable(),
  folders: z.array(z.object({ name: z.string(), path: z.string(), isModel: z.boolean() })),
  isModel: z.boolean(),
});
export type FolderListing = z.infer<typeof folderListingSchema>;
