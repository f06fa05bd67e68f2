import { errorMessages, type ErrorData } from '../../preload/contract/errors.ts';
import { fromOrpc } from '../engine/errors.ts';
import { UsageError } from './arguments.ts';
import { interruptedCode } from './command.ts';

/** A failure as the command line shows it. */
export interface Failure {
  readonly text: string;
  /** With `--json`. */
  readonly document: { readonly error: { code: string; message: string } & ErrorData };
  readonly code: number;
}

/** Exit code 2 for what was typed wrongly, 130 after Ctrl-C (`isStopped`), 1 for everything else. */
export function failureOf(error: unknown, isStopped: boolean): Failure {
  if (error instanceof UsageError) return failure('usage', error.message, {});
  const { code, message, data } = fromOrpc(error);
  // Ctrl-C reaches runners, too: one that has only just started ends of it.
  if (isStopped && code === 'runner_crashed') {
    return failure('cancelled', errorMessages.cancelled, {});
  }
  return failure(code, message, data);
}

function failure(code: string, message: string, data: ErrorData): Failure {
  const place = [
    data.file !== undefined && !message.includes(data.file) ? `file ${data.file}` : '',
    data.offset !== undefined && !message.endsWith(`byte ${data.offset}`)
      ? `at byte ${data.offset}`
      : '',
    data.tensor !== undefined && !message.includes(data.tensor) ? `tensor ${data.tensor}` : '',
    data.node !== undefined && !message.includes(data.node) ? `node ${data.node}` : '',
  ].filter((part) => part !== '');
  return {
    text: place.length === 0 ? message : `${message} (${place.join(', ')})`,
    document: { error: { code, message, ...data } },
    code: exitCodes.get(code) ?? 1,
  };
}

const exitCodes = new Map([
  ['usage', 2],
  ['cancelled', interruptedCode],
]);
