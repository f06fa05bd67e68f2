/** The table holds 2^(j / 128): its steps are short enough for a polynomial of degree 5. */
const stepsPerOctave = 128;
const step = Math.LN2 / stepsPerOctave;
const stepsPerUnit = stepsPerOctave / Math.LN2;
/** Below this e^x is no normal number any more. */
const smallest = -708;

const fractions = Float64Array.from(
  { length: stepsPerOctave },
  (_, index) => 2 ** (index / stepsPerOctave),
);
const octaves = Float64Array.from({ length: 1024 }, (_, index) => 2 ** -index);

/**
 * e^x for x ≤ 0 to within 1e-13 of itself, 0 below −708; NaN stays NaN. Softmax takes it of every
 * token of the vocabulary, several times per token, and Math.exp needs twice to three times as long.
 * Tang, "Table-driven implementation of the exponential function in IEEE floating-point
 * arithmetic" (1989): e^x = 2^(k / 128) · e^r with |r| ≤ ln 2 / 256.
 */
export function expOfNegative(x: number): number {
  if (x < smallest) return 0;
  // Rounds to the nearest, as x is not positive.
  const k = (x * stepsPerUnit - 0.5) | 0;
  const r = x - k * step;
  const power = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24 + r * (1 / 120)))));
  return octaves[-(k >> 7)] * fractions[k & 127] * power;
}
