import { LatheError } from '../../preload/contract/errors.ts';

/** A JSON value; an object is a Map, so that keys such as `__proto__` are keys like any other. */
export type JsonValue = null | boolean | number | string | JsonValue[] | Map<string, JsonValue>;

/** Where a piece of JSON stands, for messages: the file and the piece's first byte in it. */
interface Origin {
  readonly file: string;
  readonly offset: number;
}

/** Deepest nesting that is read: model files need four, and the parser must not run out of stack. */
const MAX_DEPTH = 64;

/**
 * Reads one JSON value (RFC 8259) from UTF-8 bytes, more strictly than `JSON.parse`: an object with
 * the same key twice, invalid UTF-8 and nesting deeper than 64 are refused too, and every refusal is
 * `file_malformed` with the byte offset.
 */
export function parseJson(bytes: Uint8Array, origin: Origin): JsonValue {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new LatheError('file_malformed', `not valid UTF-8 (${origin.file})`, origin, {
      cause: error,
    });
  }
  try {
    const parser = new Parser(text);
    const value = parser.value(0);
    parser.end();
    return value;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const before = new TextEncoder().encode(text.slice(0, error.at)).length;
    throw new LatheError('file_malformed', `not valid JSON: ${error.message} (${origin.file})`, {
      file: origin.file,
      offset: origin.offset + before,
    });
  }
}

/** What is wrong, at which character. */
class Fault extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const spaces = /[ \t\n\r]*/y;
/** Without escapes: everything from the space on but the quote and the backslash. */
const plainString = /"[ !#-[\]-\uffff]*"/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const word = /true|false|null/y;
const words = new Map([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Recursive descent over the text, one method per kind of value. */
class Parser {
  private readonly text: string;
  private at = 0;

  constructor(text: string) {
    this.text = text;
  }

  value(depth: number): JsonValue {
    this.take(spaces);
    const first = this.text[this.at];
    if (first === '{') return this.object(depth);
    if (first === '[') return this.array(depth);
    if (first === '"') return this.string();
    const literal = this.take(word);
    if (literal !== '') return words.get(literal) ?? null;
    const digits = this.take(number);
    if (digits !== '') return Number(digits);
    throw this.unexpected();
  }

  end(): void {
    this.take(spaces);
    if (this.at < this.text.length) throw this.unexpected();
  }

  private object(depth: number): Map<string, JsonValue> {
    const entries = new Map<string, JsonValue>();
    this.list('}', depth, () => {
      const start = this.at;
      if (this.text[start] !== '"') throw this.unexpected();
      const key = this.string();
      if (entries.has(key)) {
        throw new Fault(`the same key twice in one object: ${key.slice(0, 200)}`, start);
      }
      this.take(spaces);
      this.expect(':');
      entries.set(key, this.value(depth + 1));
    });
    return entries;
  }

  private array(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.list(']', depth, () => items.push(this.value(depth + 1)));
    return items;
  }

  /** Items between the bracket at the current place and `close`, with commas between them. */
  private list(close: string, depth: number, item: () => void): void {
    if (depth >= MAX_DEPTH) throw new Fault(`nesting deeper than ${MAX_DEPTH}`, this.at);
    this.at++;
    this.take(spaces);
    if (this.text[this.at] === close) {
      this.at++;
      return;
    }
    for (;;) {
      this.take(spaces);
      item();
      this.take(spaces);
      if (this.text[this.at] === close) break;
      this.expect(',');
    }
    this.at++;
  }

  private string(): string {
    const start = this.at;
    const plain = this.take(plainString);
    if (plain !== '') return plain.slice(1, -1);
    let end = start + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === '\\' ? 2 : 1;
    this.at = end + 1;
    try {
      return String(JSON.parse(this.text.slice(start, this.at)));
    } catch {
      throw new Fault('a string that does not end or holds what it may not', start);
    }
  }

  private expect(character: string): void {
    if (this.text[this.at] !== character) throw this.unexpected();
    this.at++;
  }

  private take(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0] ?? '';
    this.at += found.length;
    return found;
  }

  private unexpected(): Fault {
    const found = this.text[this.at];
    return found === undefined
      ? new Fault('it ends too early', this.text.length)
      : new Fault(`unexpected ${JSON.stringify(found)}`, this.at);
  }
}
