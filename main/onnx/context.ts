import { LatheError, type ErrorData } from '../../preload/contract/errors.ts';
import type { Payload, Wire } from './schema.ts';

/** Where a model comes from while it is decoded: gives errors their place. */
export interface Context {
  readonly file: string;
  readonly offsets: ReadonlyMap<object, number>;
  /** The bytes that a tensor's external_data entries name, `length` of them. */
  external(entries: readonly Wire<'StringStringEntry'>[], length: number): Payload;
}

/** A graph error at a message of the file. */
export function invalid(
  { file, offsets }: Context,
  message: object,
  reason: string,
  data: ErrorData = {},
): LatheError {
  const offset = offsets.get(message);
  const place = offset === undefined ? file : `${file} at byte ${offset}`;
  return new LatheError('graph_invalid', `${reason}: ${place}`, {
    file,
    ...(offset === undefined ? {} : { offset }),
    ...data,
  });
}

/** `{ kept }` where anything is left of a message, nothing otherwise. */
export function keep<T extends object>(rest: T): { kept?: T } {
  return Object.keys(rest).length === 0 ? {} : { kept: rest };
}

/** Texts that a file gives although they are empty: kept, so that writing gives the same bytes. */
export function emptyTexts<T extends object>(message: T): Partial<T> {
  const texts: Partial<T> = {};
  for (const key in message) if (message[key] === '') texts[key] = message[key];
  return texts;
}

/** The keys of a table, as typed as the table is. */
export function keysOf<T extends object>(table: T): Extract<keyof T, string>[] {
  const keys: Extract<keyof T, string>[] = [];
  for (const key in table) keys.push(key);
  return keys;
}
