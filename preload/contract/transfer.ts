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
