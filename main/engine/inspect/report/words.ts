/** Figures as a report writes them. */
export const percent = (share: number): string =>
  share > 0 && share < 0.0005 ? '< 0.1 %' : `${(100 * share).toFixed(1)} %`;

export const probability = (logprob: number): string => percent(Math.exp(logprob));

/** Nats with three digits that count. */
export const nats = (value: number): string =>
  value === 0 ? '0' : value < 0.001 ? '< 0.001' : value.toPrecision(3);

/** Bytes in decimal units. */
export function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  return bytes >= 1e6 ? `${(bytes / 1e6).toFixed(2)} MB` : `${(bytes / 1e3).toFixed(1)} kB`;
}

/** The text of a token where it stands alone; blanks and what shows nothing are made visible. */
export const visible = ({ text }: { readonly text: string }): string =>
  text === '' ? '∅' : text.replace(/⏎?\n/g, '⏎').replace(/\t/g, '⇥').replace(/ /g, '␣');
