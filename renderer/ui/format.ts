/** A thousands separator that does not break a line. */
const group = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** Whole number with separators: `1,234`. */
export const formatCount = (value: number): string => group.format(value);

const scaled = (value: number, units: readonly string[], step: number): string => {
  let size = value;
  let index = 0;
  while (size >= step && index < units.length - 1) {
    size /= step;
    index += 1;
  }
  const digits = index === 0 || size >= 100 ? 0 : size >= 10 ? 1 : 2;
  return `${size.toFixed(digits)} ${units[index]}`.trim();
};

/** Bytes in decimal units: `4.50 MB`. */
export const formatBytes = (bytes: number): string =>
  scaled(bytes, ['B', 'kB', 'MB', 'GB', 'TB'], 1000);

/** Weights of a model: `1.12 M`. */
export const formatParameters = (count: number): string =>
  scaled(count, ['', 'K', 'M', 'B', 'T'], 1000);

/** Milliseconds, from `3.2 ms` to `1 min 20 s`. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${ms.toFixed(0)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Time that is still to go, no finer than an estimate can be: `12 s`. */
export function formatRemaining(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

/** A rate: one digit behind the point while it is small. */
export const formatRate = (perSecond: number): string =>
  perSecond < 100 ? perSecond.toFixed(1) : formatCount(perSecond);

/** How much smaller something became: `2.9× smaller`, `5 % smaller`; null where it did not. */
export function formatSaving(before: number, after: number): string | null {
  const ratio = before / after;
  if (ratio >= 1.5) return `${ratio.toFixed(1)}× smaller`;
  const percent = Math.round((1 - 1 / ratio) * 100);
  return percent >= 1 ? `${percent} % smaller` : null;
}

/** A share in percent, two digits behind the point: `4.17 %`. */
export const formatShare = (share: number): string => `${(share * 100).toFixed(2)} %`;

/** Time of day for today, else the date: `14:05`, `3 Nov`. */
export function formatWhen(time: number, now = Date.now()): string {
  const date = new Date(time);
  const sameDay = date.toDateString() === new Date(now).toDateString();
  return sameDay
    ? date.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
    : date.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
}

/** Day and time of day: `26 Nov, 18:22`. */
export const formatMoment = (time: number): string =>
  new Date(time).toLocaleString('en-GB', {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });

const marks: Readonly<Record<string, string>> = {
  ' ': '␣',
  '\n': '↵',
  '\t': '⇥',
  '\r': '␍',
};

/** Text with spaces, line ends and invisible characters made visible. */
export const visible = (text: string): string =>
  text === ''
    ? '∅'
    : text
        .replaceAll(/[ \n\t\r]/g, (character) => marks[character] ?? character)
        .replaceAll(
          /[\p{Cc}\p{Cf}]/gu,
          (character) => `<${character.codePointAt(0)?.toString(16).padStart(4, '0')}>`,
        );
