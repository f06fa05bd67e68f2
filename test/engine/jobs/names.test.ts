import { expect, test } from 'vitest';
import { variantName } from '../../../main/engine/jobs/names.ts';

const nothing = (): boolean => false;
const named = (parent: string, recipe: string, asked?: string): string =>
  variantName(parent, { asked, recipe }, nothing);

test('a variant is named after its model and its recipe', () => {
  expect(named('tiny', 'int4-rtn')).toBe('tiny/int4-rtn');
});

test('a variant of a variant says what it went through, in two parts', () => {
  expect(named('tiny/heads-25', 'int4')).toBe('tiny/heads-25+int4');
});

test('the name asked for stands alone', () => {
  expect(named('tiny/heads-25', 'int4', 'mine')).toBe('tiny/mine');
});

test.each([
  ['4 bit: small/fast', 'tiny/4 bit- small-fast'],
  ['..hidden. ', 'tiny/hidden'],
  ['größer?', 'tiny/größer-'],
])('a recipe of any name (%s) gives a folder that every system can have', (recipe, name) => {
  expect(named('tiny', recipe)).toBe(name);
});

const taken = (name: string): boolean => ['tiny/int4', 'tiny/int4-2'].includes(name);

test('a name that is taken gets a number, unless it was asked for', () => {
  expect(variantName('tiny', { asked: undefined, recipe: 'int4' }, taken)).toBe('tiny/int4-3');
  expect(() => variantName('tiny', { asked: 'int4', recipe: 'x' }, taken)).toThrow(
    expect.objectContaining({ code: 'already_exists' }),
  );
});

test.each(['..', 'a/b', 'CON', 'a:b', '', ' a', 'a '])('the name %j is refused', (asked) => {
  expect(() => named('tiny', 'x', asked)).toThrow(
    expect.objectContaining({ code: 'path_refused' }),
  );
});
