import * as z from 'zod';

/**
 * What the desktop's main process and the engine tell each other. A utility process cannot start
 * another one, so the engine asks for its runners; it ends them itself, by pid. Ports travel beside
 * the message.
 */
export const toEngineSchema = z.discriminatedUnion('kind', [
  /** Comes with a port to a window. */
  z.object({ kind: z.literal('client') }),
  /** Comes with a port to the runner that was asked for. */
  z.object({ kind: z.literal('runner-started'), id: z.number().int(), pid: z.number().int() }),
  z.object({ kind: z.literal('runner-failed'), id: z.number().int(), message: z.string() }),
  z.object({
    kind: z.literal('runner-exited'),
    id: z.number().int(),
    code: z.number().int().nullable(),
  }),
  /** The application quits: finish what must be written, then end. */
  z.object({ kind: z.literal('shutdown') }),
]);
export type ToEngine = z.infer<typeof toEngineSchema>;

export const fromEngineSchema = z.discriminatedUnion('kind', [
  /** The router is there; ports may be sent. */
  z.object({ kind: z.literal('ready') }),
  /** Every second: it has not hung. */
  z.object({ kind: z.literal('alive') }),
  z.object({ kind: z.literal('start-runner'), id: z.number().int() }),
]);
export type FromEngine = z.infer<typeof fromEngineSchema>;
