import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { LatheError } from '../../preload/contract/errors.ts';
import type { Payload } from './schema.ts';

/** Bytes that can be read anywhere: an open file, or memory. */
export interface Source {
  readonly length: number;
  readonly path: string;
  read(offset: number, length: number): Uint8Array;
}

/** How much of a file is in memory while its structure is read: weights are stepped over. */
const WINDOW_BYTES = 256 * 1024;

/** A tag takes at most 5 bytes, a 64-bit varint 10. */
const LONGEST_VARINT = 10;

/** Names and documentation; V8 holds strings up to 512 MiB, and no model needs a thousandth. */
const LARGEST_STRING = 64 * 1024 * 1024;

/** Unknown fields are held in memory; extensions of the format carry notes, not weights. */
const MOST_UNKNOWN = 64 * 1024 * 1024;

/** Unknown groups inside one another; protobuf's own parsers stop at 100. */
const DEEPEST_GROUP = 64;

/** Reads protobuf values one after the other, holding one window of the source at a time. */
export class Cursor {
  readonly source: Source;
  private start = 0;
  private window: Uint8Array = new Uint8Array(0);
  private reader = new BinaryReader(this.window);
  private unknownBytes = 0;

  constructor(source: Source) {
    this.source = source;
  }

  /** Offset of the next value in the source. */
  get position(): number {
    return this.start + this.reader.pos;
  }

  /** The next field's number and wire type. */
  tag(): [field: number, wireType: WireType] {
    return this.value((reader) => reader.tag());
  }

  /** A value that takes at most 10 bytes. */
  value<T>(read: (reader: BinaryReader) => T): T {
    this.need(LONGEST_VARINT);
    const { position } = this;
    try {
      return read(this.reader);
    } catch (error) {
      throw this.malformed(position, 'not a protobuf value', error);
    }
  }

  /** The end of a block whose length stands here; at most `end`. */
  block(end: number): number {
    const { position } = this;
    // Read in full: a 32-bit read would drop high bits and take a huge length for a small one.
    const length = this.value((reader) => reader.uint64());
    const blockEnd = BigInt(this.position) + BigInt(length);
    if (blockEnd > BigInt(end)) {
      throw this.malformed(position, `length runs past its message: ${length}`);
    }
    return Number(blockEnd);
  }

  /** The bytes up to `end`, in memory now. */
  bytes(end: number): Uint8Array {
    const length = end - this.position;
    this.need(length);
    const { pos } = this.reader;
    this.reader.pos += length;
    return this.window.subarray(pos, pos + length);
  }

  /** UTF-8 text up to `end`. */
  text(end: number): string {
    const { position } = this;
    if (end - position > LARGEST_STRING) {
      throw this.malformed(position, `text may have ${LARGEST_STRING} bytes: ${end - position}`);
    }
    try {
      return utf8.decode(this.bytes(end));
    } catch (error) {
      throw error instanceof TypeError ? this.malformed(position, 'text is not UTF-8') : error;
    }
  }

  /** The bytes up to `end`, to be read when they are needed. */
  payload(end: number): Payload {
    const { source, position } = this;
    const length = end - position;
    this.seek(end);
    return { length, read: () => aligned(source.read(position, length)) };
  }

  /** Steps over one number and gives its bytes as payload. */
  element(wireType: WireType): Payload {
    const { source, position } = this;
    this.skip(0, wireType, source.length, 0);
    const length = this.position - position;
    return { length, read: () => aligned(source.read(position, length)) };
  }

  /** Steps over a field's value, whatever it is, and gives all from `start` on. */
  unknown(start: number, field: number, wireType: WireType, end: number): Uint8Array {
    this.skip(field, wireType, end, DEEPEST_GROUP);
    const length = this.position - start;
    this.unknownBytes += length;
    if (this.position > end || this.unknownBytes > MOST_UNKNOWN) {
      throw this.malformed(start, `unknown field is too long: ${length} bytes`);
    }
    return this.source.read(start, length);
  }

  /** An error at a place of the source. */
  malformed(offset: number, reason: string, cause?: unknown): LatheError {
    const { path } = this.source;
    const data = { file: path, offset };
    return new LatheError('file_malformed', `${reason}: ${path} at byte ${offset}`, data, {
      cause,
    });
  }

  private skip(field: number, wireType: WireType, end: number, depth: number): void {
    const { position } = this;
    switch (wireType) {
      case WireType.Varint:
        this.value((reader) => reader.uint64());
        return;
      case WireType.Bit64:
        this.value((reader) => reader.fixed64());
        return;
      case WireType.Bit32:
        this.value((reader) => reader.fixed32());
        return;
      case WireType.LengthDelimited:
        this.seek(this.block(end));
        return;
      case WireType.StartGroup:
        if (depth === 0) throw this.malformed(position, 'groups are nested too deeply');
        for (;;) {
          const [inner, innerType] = this.tag();
          if (innerType === WireType.EndGroup && inner === field) return;
          this.skip(inner, innerType, end, depth - 1);
        }
      case WireType.EndGroup:
        throw this.malformed(position, `a group ends that was not begun: field ${field}`);
    }
  }

  private seek(position: number): void {
    if (position <= this.start + this.window.length) this.reader.pos = position - this.start;
    else this.load(position, 0);
  }

  private need(length: number): void {
    const isLast = this.start + this.window.length === this.source.length;
    if (this.reader.pos + length > this.window.length && !isLast) this.load(this.position, length);
  }

  private load(position: number, length: number): void {
    const rest = this.source.length - position;
    this.start = position;
    this.window = this.source.read(position, Math.min(Math.max(WINDOW_BYTES, length), rest));
    this.reader = new BinaryReader(this.window);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Any typed array may stand over the result. */
const aligned = (bytes: Uint8Array): Uint8Array =>
  bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
