import { LatheError, type ErrorCode } from '../../preload/contract/errors.ts';

/** A file as its caller read it. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** A JSON object nobody has looked into yet. */
export type JsonObject = Record<string, unknown>;

/** What a JSON file may be, and what its failure is called. */
export interface JsonRules {
  code: ErrorCode;
  /** Bytes. */
  limit: number;
}

/** The object a JSON file holds; typed errors name the file and where it stops being JSON. */
export function readJsonObject(file: SourceFile, { code, limit }: JsonRules): JsonObject {
  if (file.bytes.length > limit) {
    throw new LatheError(
      'file_too_large',
      `${nameOf(file)} is larger than ${limit} bytes: ${file.bytes.length}`,
      { file: file.path, value: String(file.bytes.length) },
    );
  }
  const text = readText(file, code);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new LatheError(
      code,
      `${nameOf(file)} is not JSON: ${message}`,
      { file: file.path, ...placeIn(text, message) },
      { cause: error },
    );
  }
  if (!isObject(value)) {
    throw new LatheError(code, `${nameOf(file)} does not hold an object: ${describe(value)}`, {
      file: file.path,
      offset: 0,
    });
  }
  return value;
}

/** The byte at which parsing stopped; some messages quote the text around it instead. */
function placeIn(text: string, message: string): { offset?: number } {
  if (message.includes('end of JSON input')) return { offset: Buffer.byteLength(text) };
  const position = /at position (\d+)/.exec(message)?.[1];
  if (position === undefined) return {};
  return { offset: Buffer.byteLength(text.slice(0, Number(position))) };
}

/** A file's text; throws `code` when it is not UTF-8. */
export function readText(file: SourceFile, code: ErrorCode): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(file.bytes);
  } catch (error) {
    throw new LatheError(
      code,
      `${nameOf(file)} is not UTF-8`,
      { file: file.path },
      { cause: error },
    );
  }
}

/** Whether a JSON value is an object (not null, not a list). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A JSON value in the words of an error message. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isObject(value)) return 'an object';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

/** The last part of a path, for messages; the error's data has the whole. */
export function nameOf({ path }: SourceFile): string {
  return path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
}
