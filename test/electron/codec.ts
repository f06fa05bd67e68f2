/** What a codec does with a function or promise, where these may travel. */
export interface References {
  write(value: object): unknown;
  read(reference: unknown): unknown;
}

export interface Codec {
  encode(value: unknown): string;
  decode(text: string): unknown;
}

/**
 * Values as JSON text and back, near enough to structured clone for what an application sends:
 * plain objects stay objects, everything else that JSON lacks becomes a tagged array. The function
 * is also sent to the page as source text, so it uses nothing from outside itself.
 */
export function createCodec(references?: References): Codec {
  type Tagged = [string, ...unknown[]];

  const fail = (): never => {
    throw new DOMException('An object could not be cloned.', 'DataCloneError');
  };
  // The page has no Buffer, and Node's TypeScript library does not know these two yet.
  interface Base64 {
    toBase64(): string;
  }
  const toBase64 = (view: ArrayBufferView): string => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    return typeof Buffer === 'undefined'
      ? (bytes as Uint8Array & Base64).toBase64()
      : Buffer.from(bytes).toString('base64');
  };
  const fromBase64 = (text: string): ArrayBuffer =>
    typeof Buffer === 'undefined'
      ? (Uint8Array as unknown as { fromBase64(text: string): Uint8Array<ArrayBuffer> }).fromBase64(
          text,
        ).buffer
      : new Uint8Array(Buffer.from(text, 'base64')).buffer;

  const write = (value: unknown, above: readonly object[]): unknown => {
    switch (typeof value) {
      case 'undefined':
        return ['undefined'];
      case 'bigint':
        return ['bigint', String(value)];
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0)
          ? value
          : ['number', Object.is(value, -0) ? '-0' : String(value)];
      case 'symbol':
        return fail();
      case 'function':
        return references ? ['reference', references.write(value)] : fail();
      case 'object':
        return value === null ? null : writeObject(value, above);
      default:
        return value;
    }
  };
  const writeObject = (value: object, above: readonly object[]): unknown => {
    if (above.includes(value)) return fail(); // a cycle: no caller needs one
    const path = [...above, value];
    if (Array.isArray(value)) return ['array', ...value.map((item) => write(item, path))];
    if (value instanceof Promise) {
      return references ? ['reference', references.write(value)] : fail();
    }
    if (value instanceof Date) return ['date', value.getTime()];
    if (value instanceof Map) return ['map', ...[...value].map((entry) => write(entry, path))];
    if (value instanceof Set) return ['set', ...[...value].map((item) => write(item, path))];
    if (value instanceof Error) return ['error', value.name, value.message];
    if (value instanceof ArrayBuffer) return ['buffer', toBase64(new Uint8Array(value))];
    if (ArrayBuffer.isView(value)) {
      const kind = value.constructor.name;
      return ['view', kind === 'Buffer' ? 'Uint8Array' : kind, toBase64(value)];
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, write(item, path)]));
  };

  const read = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return readTagged(value as Tagged);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, read(item)]));
  };
  const readTagged = ([tag, ...rest]: Tagged): unknown => {
    switch (tag) {
      case 'array':
        return rest.map(read);
      case 'undefined':
        return undefined;
      case 'bigint':
        return BigInt(rest[0] as string);
      case 'number':
        return Number(rest[0]);
      case 'date':
        return new Date(rest[0] as number);
      case 'map':
        return new Map(rest.map(read) as [unknown, unknown][]);
      case 'set':
        return new Set(rest.map(read));
      case 'error': {
        const error = new Error(rest[1] as string);
        error.name = rest[0] as string;
        return error;
      }
      case 'buffer':
        return fromBase64(rest[0] as string);
      case 'view': {
        const View = Reflect.get(globalThis, rest[0] as string) as Uint8ArrayConstructor;
        return new View(fromBase64(rest[1] as string));
      }
      case 'reference':
        return references ? references.read(rest[0]) : fail();
      default:
        return fail();
    }
  };

  return {
    encode: (value) => JSON.stringify(write(value, [])),
    decode: (text) => read(JSON.parse(text)),
  };
}
