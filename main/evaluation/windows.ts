import { LatheError } from '../../preload/contract/errors.ts';

/** How a text is read. Scores of different windows or strides are not to be compared. */
export interface WindowOptions {
  /** Tokens read at once, at most. */
  readonly window: number;
  /** New tokens in every window but the first; the rest of it is context that was scored before. */
  readonly stride: number;
}

/** Tokens `start` … `end` − 1 are read, and those from `scored` on are scored. */
export interface Window {
  readonly start: number;
  readonly scored: number;
  readonly end: number;
}

/**
 * Windows over a text of `length` tokens: every token but the first is scored once, with at least
 * `window - stride` tokens of context behind the first window.
 */
export function windowsOf(length: number, { window, stride }: WindowOptions): Window[] {
  if (!(stride >= 1 && stride < window)) {
    throw new LatheError('usage', `a stride must fit its window: ${stride}, ${window}`);
  }
  const windows: Window[] = [];
  for (let scored = 1, end = 1; scored < length; scored = end) {
    end = Math.min(scored === 1 ? window : scored + stride, length);
    windows.push({ start: Math.max(0, end - window), scored, end });
  }
  return windows;
}
