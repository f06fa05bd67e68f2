import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import {
  defaultSize,
  loadWindowState,
  minimumSize,
  placeWindow,
  saveWindowState,
} from '../../main/app/windowState.ts';

const folder = mkdtempSync(join(tmpdir(), 'window-state-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('what is saved is loaded again', () => {
  const state = { bounds: { x: 10, y: 20, width: 1000, height: 700 }, maximized: true };
  const path = join(folder, 'saved.json');
  saveWindowState(path, state);
  expect(loadWindowState(path)).toEqual(state);
});

test.each([
  '',
  '{',
  '[]',
  '{"bounds":{"x":"a"}}',
  '{"bounds":{"x":0,"y":0,"width":-1,"height":1}}',
])('an unusable file counts as none: %s', (text) => {
  const path = join(folder, 'broken.json');
  writeFileSync(path, text);
  expect(loadWindowState(path)).toBeNull();
});

describe('a window', () => {
  const screen = { x: 0, y: 0, width: 1920, height: 1080 };
  const right = { x: 1920, y: 0, width: 1280, height: 1024 };

  test('has the default size where nothing is remembered or its screen is gone', () => {
    expect(placeWindow(null, [screen])).toEqual(defaultSize);
    const away = { x: 2000, y: 100, width: 1000, height: 700 };
    expect(placeWindow(away, [screen])).toEqual(defaultSize);
  });

  test('comes back where it was, on whichever screen', () => {
    const bounds = { x: 2000, y: 100, width: 1000, height: 700 };
    expect(placeWindow(bounds, [screen, right])).toEqual(bounds);
  });

  test('is moved and cut to lie inside its screen, and is never smaller than usable', () => {
    expect(placeWindow({ x: 1800, y: -50, width: 4000, height: 100 }, [screen])).toEqual({
      x: 0,
      y: 0,
      width: screen.width,
      height: minimumSize.height,
    });
  });
});
