import { isUtf8 } from 'node:buffer';
import { LatheError } from '../../preload/contract/errors.ts';

/** The text that a file's bytes are; `file_malformed` where they are no UTF-8. `what` begins the message. */
export function textOf(bytes: Uint8Array, file: string, what: string): string {
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes);
  throw new LatheError('file_malformed', `${what} must be UTF-8: ${file}`, { file });
}
