import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Rectangle } from 'electron';
import * as z from 'zod';

const boundsSchema = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().positive(),
  height: z.number().int().positive(),
});

const windowStateSchema = z.object({ bounds: boundsSchema, maximized: z.boolean() });
export type WindowState = z.infer<typeof windowStateSchema>;

export const minimumSize = { width: 880, height: 560 };
export const defaultSize = { width: 1360, height: 880 };

/** Where the window was last; null when that is unknown or unreadable. */
export function loadWindowState(path: string): WindowState | null {
  try {
    return windowStateSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null; // no file yet, or one we cannot use: the default size serves as well
  }
}

/** Replaces the file as a whole, so that a crash leaves the old one. */
export function saveWindowState(path: string, state: WindowState): void {
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

/**
 * Bounds for a new window: those remembered, moved and cut so that they lie on one of the
 * screens there are now; without usable ones, the default size and the system's place.
 */
export function placeWindow(
  remembered: Rectangle | null,
  screens: readonly Rectangle[],
): Partial<Rectangle> {
  if (remembered === null) return defaultSize;
  const screen = screens.find((area) => overlap(area, remembered) > 0);
  if (screen === undefined) return defaultSize;
  const width = Math.min(Math.max(remembered.width, minimumSize.width), screen.width);
  const height = Math.min(Math.max(remembered.height, minimumSize.height), screen.height);
  return {
    width,
    height,
    x: clamp(remembered.x, screen.x, screen.x + screen.width - width),
    y: clamp(remembered.y, screen.y, screen.y + screen.height - height),
  };
}

const clamp = (value: number, low: number, high: number): number =>
  Math.min(Math.max(value, low), high);

/** Area in square pixels that both rectangles cover. */
function overlap(a: Rectangle, b: Rectangle): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(width, 0) * Math.max(height, 0);
}
