import { describe, expect, test } from 'vitest';
import { createStopScanner } from '../../main/inference/stopping.ts';
import { createRandom, type Random } from '../../main/numeric/random.ts';

/** What is shown after each piece, whether it stopped, and the flush. */
function scan(stops: string[], pieces: string[]): { shown: string[]; stopped: boolean } {
  const scanner = createStopScanner(stops);
  const shown: string[] = [];
  for (const piece of pieces) {
    const { text, stopped } = scanner.push(piece);
    shown.push(text);
    if (stopped) return { shown, stopped };
  }
  return { shown: [...shown, scanner.flush()], stopped: false };
}

describe('a stop string', () => {
  test('ends the text before it, within one piece', () => {
    expect(scan(['\n\n'], ['one\n\ntwo'])).toEqual({ shown: ['one'], stopped: true });
  });

  test('is found across pieces, and its beginning is never shown', () => {
    expect(scan(['User:'], ['Yes. ', 'U', 's', 'er', ': no'])).toEqual({
      shown: ['Yes. ', '', '', '', ''],
      stopped: true,
    });
  });

  test('that does not come about releases what was held back at once', () => {
    expect(scan(['User:'], ['Us', 'ed', ' Use'])).toEqual({
      shown: ['', 'Used', ' ', 'Use'],
      stopped: false,
    });
  });

  test('may begin inside its own false start', () => {
    expect(scan(['aab'], ['a', 'a', 'a', 'b'])).toEqual({
      shown: ['', '', 'a', ''],
      stopped: true,
    });
  });

  test('of several, the one complete first ends the text', () => {
    expect(scan(['abcd', 'bc'], ['abcd'])).toEqual({ shown: ['a'], stopped: true });
    expect(scan(['abcd', 'bc'], ['a', 'b', 'c', 'd'])).toEqual({
      shown: ['', '', 'a'],
      stopped: true,
    });
  });

  test('of several complete at the same character, the longest is removed', () => {
    expect(scan(['c', 'abc', 'bc'], ['xabc'])).toEqual({ shown: ['x'], stopped: true });
  });

  test('none at all holds nothing back', () => {
    expect(scan([], ['a', '', 'b'])).toEqual({ shown: ['a', '', 'b', ''], stopped: false });
  });
});

describe('on random texts over a small alphabet', () => {
  const random = createRandom(11);
  const cases = Array.from({ length: 3000 }, () => {
    const text = word(random, 30);
    const stops = Array.from({ length: 1 + integer(random, 4) }, () => word(random, 4) + 'a');
    return { text, stops, pieces: cut(random, text) };
  });

  test('the outcome is that of indexOf on the whole text, however it is cut', () => {
    for (const { text, stops, pieces } of cases) {
      const found = stops
        .map((stop) => ({ start: text.indexOf(stop), end: text.indexOf(stop) + stop.length }))
        .filter(({ start }) => start >= 0)
        .toSorted((a, b) => a.end - b.end || a.start - b.start)[0];
      const { shown, stopped } = scan(stops, pieces);
      expect({ text: shown.join(''), stopped }).toEqual({
        text: found === undefined ? text : text.slice(0, found.start),
        stopped: found !== undefined,
      });
    }
  });

  test('what is held back is the longest end that begins a stop string, and no more', () => {
    for (const { stops, pieces } of cases) {
      const scanner = createStopScanner(stops);
      let pushed = '';
      let shown = '';
      for (const piece of pieces) {
        const { text, stopped } = scanner.push(piece);
        pushed += piece;
        shown += text;
        if (stopped) break;
        const ends = Array.from({ length: pushed.length + 1 }, (_, at) => pushed.slice(at));
        const held = ends.find((end) => stops.some((stop) => stop.startsWith(end)));
        expect(pushed.slice(shown.length)).toBe(held);
      }
    }
  });
});

function word(random: Random, longest: number): string {
  return Array.from({ length: integer(random, longest) }, () => 'abc'[integer(random, 3)]).join('');
}

function cut(random: Random, text: string): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const length = integer(random, 4);
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}

function integer(random: Random, below: number): number {
  return Math.floor(random.next() * below);
}
