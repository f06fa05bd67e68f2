import { describe, expect, it } from 'vitest';
import { toCsv } from '../../../renderer/ui/save.ts';

describe('CSV', () => {
  it('puts fields with commas, quotes and line breaks into quotes', () => {
    expect(
      toCsv(
        ['a', 'b'],
        [
          ['x,y', 1],
          ['say "hi"', null],
          ['two\nlines', -0.5],
        ],
      ),
    ).toBe('a,b\r\n"x,y",1\r\n"say ""hi""",\r\n"two\nlines",-0.5\r\n');
  });
});
