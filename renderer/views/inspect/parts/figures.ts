/** A probability: `61.0 %`, `< 0.1 %`. */
export function formatProbability(probability: number): string {
  const percent = probability * 100;
  return percent < 0.1 ? '< 0.1 %' : `${percent.toFixed(1)} %`;
}

/** A number with three digits that count and a minus that is one: `−0.0123`. */
export const formatFigure = (value: number): string =>
  (Math.abs(value) >= 1000 || (value !== 0 && Math.abs(value) < 1e-3)
    ? value.toExponential(1).replace('e+', 'e')
    : String(Number(value.toPrecision(3)))
  ).replaceAll('-', '−');

/** A number with its sign, whichever it is. */
export const formatSigned = (value: number): string =>
  value > 0 ? `+${formatFigure(value)}` : formatFigure(value);

/** A message of the engine as a sentence of its own. */
export const asSentence = (message: string): string =>
  `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`;

/** A file's name from what it is about. */
export const fileName = (...parts: readonly string[]): string =>
  parts.map((part) => part.replaceAll(/[^\w.+-]+/g, '-')).join('-');
