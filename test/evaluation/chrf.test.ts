import { describe, expect, test } from 'vitest';
import { chrf, chrfSums } from '../../main/evaluation/chrf.ts';
import { columnSums } from '../../main/evaluation/statistics.ts';

const corpus = (given: readonly string[], expected: readonly string[], beta?: number): number =>
  chrf(columnSums(given.map((text, at) => chrfSums(text, expected[at]))), beta);

describe("sacreBLEU's published values of chrF3 with effective order", () => {
  test.each([
    [['a'], ['a'], 100],
    [[''], ['reference'], 0],
    [['a b c'], ['abc'], 100],
    [['a', 'b'], ['a', 'c'], 50],
    [['aa'], ['ab'], 25],
  ])('%j against %j', (given, expected, value) => {
    expect(corpus(given, expected, 3)).toBeCloseTo(value, 4);
  });

  test('long sentences, where all orders count', () => {
    const given =
      ' risk assessment must be made of those who are qualified and expertise in the sector - these are the scientists .';
    const expected =
      'risk assessment has to be undertaken by those who are qualified and expert in that area - that is the scientists .';
    expect(corpus([given], [expected], 3)).toBeCloseTo(63.36173, 4);
    const german = [
      ' Die    Beziehung zwischen  Obama und Netanjahu ist nicht gerade  freundlich. ',
      'Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade freundschaftlich.',
    ];
    expect(corpus([german[0]], [german[1]], 3)).toBeCloseTo(64.1302698, 4);
  });
});

test('chrF2 equals the published value of a sentence', () => {
  expect(
    corpus(
      ['Co nás nejvíc trápí, protože lékaři si vybírají, kdo bude žít a kdo zemře.'],
      ['Nejvíce smutní jsme z toho, že musíme rozhodovat o tom, kdo bude žít a kdo zemře.'],
    ),
  ).toBeCloseTo(39.14078509, 4);
});
