import type { Progress } from '../../preload/contract/models.ts';

/** The command's result. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value));
}

/** Beside the result: progress and remarks. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function noteProgress({ stage, fraction, remainingMs }: Progress): void {
  const percent = fraction === undefined ? '' : ` ${Math.round(fraction * 100)} %`;
  const rest = remainingMs === undefined ? '' : `, ${(remainingMs / 1000).toFixed(1)} s to go`;
  note(`${stage}${percent}${rest}`);
}

/** Whether somebody reads progress: a program that asked for a document, or who sits at a terminal. */
export const tellsProgress = (json: boolean): boolean => json || process.stderr.isTTY;

/** Columns as wide as their widest cell; cells that are numbers with or without unit to the right. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const isNumeric = header.map((_, column) =>
    rows.every((row) => row[column] === '' || /^-?[\d.,]/.test(row[column])),
  );
  return all
    .map((row) =>
      row
        .map((cell, column) =>
          isNumeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column]),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `1.12 M`, `494 M`, `7.24 B`: three digits that count. */
export function count(value: number): string {
  const steps: [number, string][] = [
    [1e9, ' B'],
    [1e6, ' M'],
    [1e3, ' k'],
  ];
  const step = steps.find(([size]) => value >= size);
  return step ? `${(value / step[0]).toPrecision(3)}${step[1]}` : String(value);
}

/** `4.50 MB`: decimal units. */
export function bytes(value: number): string {
  const steps: [number, string][] = [
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ];
  const step = steps.find(([size]) => value >= size);
  return step ? `${(value / step[0]).toFixed(2)} ${step[1]}` : `${Math.round(value)} B`;
}

export const milliseconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
