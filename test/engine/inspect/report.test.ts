import { expect, test, describe } from 'vitest';
import { markup } from '../../../main/engine/inspect/report/html.ts';
import { differenceReport, type ReportFacts } from '../../../main/engine/inspect/report/report.ts';
import type { Difference, ModelRecord } from '../../../preload/contract/index.ts';

const hostile = '</title><script>alert(1)</script><img src=x onerror="alert(2)">';

const record = (name: string, parent: string | null): ModelRecord => ({
  name,
  parent,
  architecture: 'llama',
  parameters: 1_123_712,
  bytes: 4_500_000,
  precision: 'float32',
  contextLength: 512,
  vocabularySize: 2048,
  hasChatTemplate: false,
  source: 'library',
  folder: '/models/x',
  licence: null,
  sha256: 'ab'.repeat(32),
  addedAt: 0,
});

const texts = ['', 'Hi', ` ${hostile}`, '\n', ''];
const tokens = texts.map((text, id) => ({
  id,
  text,
  bytes: id === 4 ? [0xf0, 0x9f] : [...new TextEncoder().encode(id === 0 ? '<s>' : text)],
}));

const opinion = (id: number, logprob: number | null) => ({
  logprob,
  top: { id, text: texts[id] },
  topLogprob: -0.5,
});

const difference: Difference = {
  id: 'd',
  base: `base ${hostile}`,
  variant: 'base/int4',
  tokens,
  promptTokens: 2,
  positions: tokens.map((_, at) => ({
    base: opinion(at === 4 ? 1 : at + 1, at === 4 ? null : -0.5),
    variant: opinion(1, at === 4 ? null : -2),
    kl: [0, 0.005, 0.5, 4, 0][at],
  })),
  firstDivergence: 3,
  layers: 2,
  heads: [2, 1],
  headDivergence: Float32Array.of(0, 0.25, 0.5),
  residualCosine: Float32Array.of(1, 0.99, 0.75),
};

const facts: ReportFacts = {
  request: {
    base: 'base',
    variant: 'base/int4',
    prompt: { kind: 'completion', text: hostile },
    newTokens: 3,
  },
  difference,
  blame: {
    position: 3,
    expected: { id: 3, text: '\n' },
    given: { id: 1, text: hostile },
    suspects: [
      { layer: 'blocks.1.mlp.down', effect: 0.9, restores: true },
      { layer: hostile, effect: -0.1, restores: false },
    ],
    sufficient: ['blocks.1.mlp.down'],
    runs: 7,
  },
  models: [record(`base ${hostile}`, null), record('base/int4', 'base')],
  versions: { lathe: '0.1.0', onnxruntime: '1.30.0' },
  madeAt: new Date(0),
};

describe('a report', () => {
  const page = differenceReport(facts);

  test('holds no script and reaches for nothing, whatever texts and names say', () => {
    expect(page).not.toMatch(/<script|<img|<link|<iframe|url\(|@import|javascript:/i);
    expect(page).not.toMatch(/\s(?:src|href|on\w+)\s*=\s*["'](?!.*&quot;)/i);
    expect(page.match(/<title>[^<]*<\/title>/)?.[0]).toContain('&lt;/title&gt;&lt;script&gt;');
    expect(page).toContain(
      `content="default-src 'none'; style-src 'unsafe-inline'"`.replaceAll("'", '&#39;'),
    );
    expect(page).toContain('prefers-color-scheme:dark');
  });

  test('colours every token by the divergence of its prediction, and marks where they part', () => {
    const text = /<div class="text">(.*?)<\/div>/s.exec(page)?.[1] ?? '';
    const spans = [...text.matchAll(/<span class="([^"]*)"/g)].map(([, names]) => names);
    expect(spans).toEqual(['', '', 'h1 written', 'h5 written first', 'h7 written']);
    // What shows nothing by itself has its name, or the bytes of its piece of a character.
    expect(text).toContain('&lt;s&gt;');
    expect(text).toContain('⟨f0 9f⟩');
    expect(text).toContain('⏎\n');
  });

  test('says where they part, with both choices', () => {
    const said = page.replaceAll(/<[^>]+>/g, '').replaceAll(/\s+/g, ' ');
    expect(said).toContain(
      'They part at token 4, the 2nd written: the base goes on with ⏎ (60.7 %)',
    );
    expect(said).toContain('Same most probable token');
    expect(said).toContain('KL divergence, largest 4.00 nats');
  });

  test('draws a cell for every head and a point for every layer', () => {
    expect(page).toContain('<title>layer 1, head 0: 0.500 bit</title>');
    expect(page.match(/<title>layer \d+, head/g)).toHaveLength(3);
    expect(page.match(/<circle/g)).toHaveLength(3);
    expect(page).not.toContain('NaN');
  });

  test('tells who is to blame where that is known, and why heads are missing where they are', () => {
    expect(page).toContain('<code>blocks.1.mlp.down</code>');
    expect(page).toContain('90.0 %');
    const { heads: _heads, ...rest } = difference;
    const without = differenceReport({
      ...facts,
      blame: null,
      difference: {
        ...rest,
        heads: null,
        headDivergence: null,
        residualCosine: new Float32Array(0),
        note: 'no <b>heads</b>',
      },
    });
    expect(without).not.toContain('Who is to blame');
    expect(without).toContain('no &lt;b&gt;heads&lt;/b&gt;');
    expect(without).not.toContain('<svg');
  });
});

test('markup escapes what is put in, and lets through what is markup', () => {
  const inner = markup`<b>${'<&>"\''}</b>`;
  expect(markup`${[inner, 1, null]}${'\u0000\uD800'}`.text).toBe(
    '<b>&lt;&amp;&gt;&quot;&#39;</b>1\uFFFD\uFFFD',
  );
});
