import * as z from 'zod';

/** The machine that something was measured on, as far as figures depend on it. */
export const machineSchema = z.object({
  cpu: z.string(),
  /** Cores that compute on their own. */
  cores: z.number().int(),
  memoryBytes: z.number(),
  /** `linux-x64` */
  platform: z.string(),
  /** Version of the operating system's kernel. */
  release: z.string(),
});
export type Machine = z.infer<typeof machineSchema>;

/** When, where and with what something was measured; figures drift when one of these changes. */
export const circumstancesSchema = z.object({
  device: z.string(),
  threads: z.number().int(),
  /** Milliseconds since 1970. */
  measuredAt: z.number(),
  /** Version of each tool that took part: `lathe`, `node`, `onnxruntime`. */
  versions: z.record(z.string(), z.string()),
  machine: machineSchema,
});
export type Circumstances = z.infer<typeof circumstancesSchema>;
