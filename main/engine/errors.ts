import { mapEventIterator, ORPCError } from '@orpc/client';
import { os, ValidationError } from '@orpc/server';
import {
  errorDataSchema,
  errorMessages,
  LatheError,
  type ErrorCode,
} from '../../preload/contract/errors.ts';

/** Turns what a handler throws, at once or in mid-stream, into errors that cross the border. */
export const typedErrors = os.middleware(async ({ next }) => {
  let result: Awaited<ReturnType<typeof next>>;
  try {
    result = await next();
  } catch (error) {
    throw toOrpc(error);
  }
  const { output } = result;
  if (!isStream(output)) return result;
  const mapped = mapEventIterator(output, {
    value: async (value) => value,
    error: async (error) => toOrpc(error),
  });
  return { ...result, output: mapped as typeof output };
});

/** A border error for any failure; one that nobody expected is logged with its stack. */
export function toOrpc(error: unknown): ORPCError<string, unknown> {
  if (error instanceof LatheError) {
    const { code, message, data } = error;
    return new ORPCError(code, { message, data, cause: error });
  }
  if (error instanceof ORPCError) {
    if (isErrorCode(error.code)) return error;
    if (error.code === 'BAD_REQUEST' && error.cause instanceof ValidationError) {
      return new ORPCError('usage', { message: issueText(error.cause), data: {}, cause: error });
    }
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new ORPCError('cancelled', { message: errorMessages.cancelled, data: {}, cause: error });
  }
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return new ORPCError('internal', {
    message: textOf(error),
    data: { next: ['report'] },
    cause: error,
  });
}

/** The way back: what a client of a contract throws, as an error of ours. */
export function fromOrpc(error: unknown): LatheError {
  if (error instanceof LatheError) return error;
  if (error instanceof ORPCError && isErrorCode(error.code)) {
    const data = errorDataSchema.safeParse(error.data);
    return new LatheError(error.code, error.message, data.data ?? {}, { cause: error });
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return new LatheError('cancelled', errorMessages.cancelled, {}, { cause: error });
  }
  return new LatheError('internal', textOf(error), { next: ['report'] }, { cause: error });
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorMessages, code);

function isStream(value: unknown): value is AsyncIterator<unknown> & AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

/** `sampling.topP: too big` for every field that is wrong. */
function issueText(error: ValidationError): string {
  return error.issues
    .map((issue) => {
      const path = (issue.path ?? []).map((part) =>
        String(typeof part === 'object' ? part.key : part),
      );
      return path.length === 0 ? issue.message : `${path.join('.')}: ${issue.message}`;
    })
    .join('; ');
}
