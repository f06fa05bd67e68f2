import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const electron = join(root, 'node_modules/electron');

/**
 * The binary that the desktop is tested on: Electron's own where it was downloaded and there is a
 * display to open a window on, else the stand-in.
 */
export function desktopBinary(): { path: string; real: boolean } {
  const name = join(electron, 'path.txt');
  const path = existsSync(name) ? join(electron, 'dist', readFileSync(name, 'utf8')) : '';
  const { DISPLAY: x11, WAYLAND_DISPLAY: wayland } = process.env;
  const display = process.platform !== 'linux' || x11 || wayland;
  if (display && path && existsSync(path)) return { path, real: true };
  return { path: join(root, 'test/electron/electron'), real: false };
}
