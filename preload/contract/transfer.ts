/**
 * For `experimental_transfer` of both ends of an oRPC message port: an empty list makes oRPC send
 * the message by structured clone, which carries typed arrays as they are; null lets it send text.
 * Nothing is ever transferred, because Electron's ports can transfer only ports.
 */
export const cloneTypedArrays = (message: unknown): object[] | null =>
  holdsTypedArray(message) ? [] : null;

/** Looks into arrays and plain objects only: streams and class instances stay for oRPC to encode. */
function holdsTypedArray(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (ArrayBuffer.isView(value)) return true;
  if (Array.isArray(value)) return value.some(holdsTypedArray);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).some(holdsTypedArray);
}

/** The kinds of arrays that cross the border, with the number that stands for each in text. */
const arrayKinds = [
  [Float32Array, 40],
  [Int32Array, 41],
  [Float64Array, 42],
] as const;

/**
 * For `customJsonSerializers` of both ends of a WebSocket, which carries text: typed arrays as
 * base64 of their bytes, little-endian as they lie in memory.
 */
export const typedArraySerializers = arrayKinds.map(([Kind, type]) => ({
  type,
  condition: (value: unknown): boolean => value instanceof Kind,
  serialize: (array: InstanceType<typeof Kind>): string =>
    toBase64(new Uint8Array(array.buffer, array.byteOffset, array.byteLength)),
  deserialize(text: unknown): InstanceType<typeof Kind> {
    if (typeof text !== 'string') throw new TypeError('a typed array must be text');
    return new Kind(fromBase64(text).buffer);
  },
}));

/** What every side of the border has, Node and browsers alike. */
declare function btoa(binary: string): string;
declare function atob(text: string): string;

/** Arguments of one call at most. */
const chunk = 8192;

function toBase64(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.length; at += chunk) {
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + chunk)));
  }
  return btoa(pieces.join(''));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}
