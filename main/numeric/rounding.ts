/**
 * Nearest integer, halves to the even neighbour: C's `rint`, numpy's and ONNX QuantizeLinear's rule.
 * Exact for every double; -0.5 gives -0.
 */
export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest < 0.5) return floor;
  if (rest > 0.5) return floor + 1;
  // Half of an even number is whole, half of an odd one is not; bit tricks end at 2^31.
  return Math.floor(floor / 2) * 2 === floor ? floor : floor + 1;
}

/**
 * Nearest integer, halves away from zero: C's `roundf`, the rule of onnxruntime's block quantizer.
 * Exact for every double; `Math.round` is neither this nor half-even (it rounds halves up).
 */
export function roundHalfAway(value: number): number {
  const magnitude = Math.abs(value);
  const floor = Math.floor(magnitude);
  // Adding 0.5 first would carry 0.49999999999999994 and 2^52 + 1 over to the next integer.
  const rounded = magnitude - floor >= 0.5 ? floor + 1 : floor;
  return value < 0 ? -rounded : rounded;
}

/** `value` limited to [low, high]. */
export function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value;
}
