import { ORPCError } from '@orpc/client';
import {
  errorDataSchema,
  errorMessages,
  LatheError,
  type ErrorCode,
  type ErrorData,
} from '../../preload/contract/index.ts';

/** An error as the window shows it: what to do about it, what happened, and where. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly data: ErrorData;
}

const isCode = (code: string): code is ErrorCode => Object.hasOwn(errorMessages, code);

/** Reads whatever a call to the engine threw. A call cut off with its link means a lost engine. */
export function toFailure(error: unknown): Failure {
  if (error instanceof LatheError) {
    return { code: error.code, message: error.message, data: error.data };
  }
  if (error instanceof ORPCError) {
    const data = errorDataSchema.safeParse(error.data);
    if (isCode(error.code)) {
      return { code: error.code, message: error.message, data: data.success ? data.data : {} };
    }
    const code = error.code === 'BAD_REQUEST' ? 'usage' : 'internal';
    return { code, message: error.message, data: { next: ['report'] } };
  }
  if (error instanceof Error && error.name === 'AbortError') {
    return {
      code: 'engine_lost',
      message: 'The engine stopped while it was working on this',
      data: { next: ['retry'] },
    };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'internal', message, data: { next: ['report'] } };
}
