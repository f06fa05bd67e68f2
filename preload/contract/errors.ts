import * as z from 'zod';

/**
 * Every failure the product expects, by code. A code names what a caller can do about it; the
 * message says what happened, then the value; the data says where.
 */
export const errorMessages = {
  usage: 'The request is not usable',
  cancelled: 'Cancelled',
  not_found: 'There is no such thing',
  already_exists: 'There is one already',
  file_missing: 'A file is missing',
  file_malformed: 'A file does not follow its format',
  file_too_large: 'A file is larger than its limit',
  file_changed: 'A file changed after it was recorded',
  path_refused: 'A path leaves the folder it belongs to',
  disk_full: 'The disk is full',
  config_invalid: 'The model configuration is not usable',
  architecture_unsupported: 'The architecture is not supported',
  tensor_missing: 'A tensor is missing',
  tensor_mismatch: 'A tensor has the wrong shape or type',
  values_not_finite: 'A tensor holds NaN or infinity',
  tokenizer_invalid: 'The tokenizer is not usable',
  template_invalid: 'The chat template is not usable',
  graph_invalid: 'The graph is not usable',
  runtime_failed: 'The runtime refused the model',
  context_overflow: 'The text is longer than the context',
  memory_limit: 'The model needs more memory than it may use',
  runner_crashed: 'The process that ran the model ended',
  runner_hung: 'The process that ran the model stopped answering',
  model_quarantined: 'The model ended its process too often',
  engine_lost: 'The engine stopped',
  internal: 'Something went wrong inside Lathe',
} as const;

export type ErrorCode = keyof typeof errorMessages;

/** What the user may do next; the window shows it as a button. */
export const nextStepSchema = z.enum([
  'retry',
  'open-folder',
  'choose-model',
  'shorten-prompt',
  'restart-engine',
  'report',
]);
export type NextStep = z.infer<typeof nextStepSchema>;

/** Where and what: all optional, none invented. */
export const errorDataSchema = z.object({
  file: z.string().optional(),
  /** Byte offset in `file`. */
  offset: z.number().int().nonnegative().optional(),
  /** Name of the graph node at fault. */
  node: z.string().optional(),
  /** Name of the tensor at fault. */
  tensor: z.string().optional(),
  /** The offending value, as text. */
  value: z.string().optional(),
  next: z.array(nextStepSchema).optional(),
});
export type ErrorData = z.infer<typeof errorDataSchema>;

/** The failures as a contract of oRPC declares them. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- entries keep their keys
export const errorMap = Object.fromEntries(
  Object.entries(errorMessages).map(([code, message]) => [
    code,
    { message, data: errorDataSchema },
  ]),
) as { [code in ErrorCode]: { message: string; data: typeof errorDataSchema } };

/** An expected failure. Anything else that is thrown is a bug and ends its own process. */
export class LatheError extends Error {
  override readonly name = 'LatheError';
  readonly code: ErrorCode;
  readonly data: ErrorData;

  constructor(code: ErrorCode, message: string, data: ErrorData = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.data = data;
  }
}
