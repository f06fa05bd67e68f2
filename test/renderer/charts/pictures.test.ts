import { describe, expect, it } from 'vitest';
import { drawAlternatives } from '../../../renderer/charts/alternatives.ts';
import { layerAt } from '../../../renderer/charts/layerAxis.ts';
import { drawLayers } from '../../../renderer/charts/layers.ts';
import { drawMemory } from '../../../renderer/charts/memory.ts';
import { drawOperators } from '../../../renderer/charts/operators.ts';
import { drawProbabilityLegend } from '../../../renderer/charts/probability.ts';
import { drawSensitivity } from '../../../renderer/charts/sensitivity.ts';
import { blankSvg, linesOf, picture } from './picture.ts';

describe('pictures', () => {
  it('alternatives: bars by probability, the chosen one marked, rank unknown behind the best', async () => {
    const svg = blankSvg();
    const rows = [
      { rank: 1, label: '␣the', logprob: Math.log(0.61), chosen: false },
      { rank: 2, label: '␣a', logprob: Math.log(0.25), chosen: false },
      { rank: 3, label: '␣extraordinarily', logprob: Math.log(0.0004), chosen: false },
      { rank: null, label: '↵', logprob: Math.log(0.00001), chosen: true },
    ];
    drawAlternatives(svg, rows, 400);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('alternatives'));
  });

  it('alternatives: drawing again leaves nothing of the picture before', async () => {
    const svg = blankSvg();
    const row = { rank: 1, label: 'x', logprob: 0, chosen: true };
    drawAlternatives(svg, [row, row, row], 400);
    drawAlternatives(svg, [row], 320);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('alternatives-again'));
  });

  const parts = [
    { label: 'Weights', bytes: 400, color: 'teal' },
    { label: 'Cache', bytes: 100, color: 'orange' },
  ];
  it('memory: parts end to end', async () => {
    const svg = blankSvg();
    drawMemory(svg, parts, 10_000, 500);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('memory'));
  });

  it('memory: a line where less is available than needed', async () => {
    const svg = blankSvg();
    drawMemory(svg, parts, 250, 500);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('memory-short'));
  });

  it('memory: nothing needed draws nothing wide', async () => {
    const svg = blankSvg();
    drawMemory(svg, [], 10, 500);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('memory-none'));
  });

  it('operators: bars by count', async () => {
    const svg = blankSvg();
    const counts = [
      { operator: 'MatMul', count: 1234 },
      { operator: 'GroupQueryAttention', count: 5 },
    ];
    drawOperators(svg, counts, 500);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('operators'));
  });

  const kinds = ['attn.qkv', 'attn.o', 'mlp.gate_up', 'mlp.down'];
  const layerNames = (blocks: number) => [
    ...Array.from({ length: blocks }, (_, block) =>
      kinds.map((kind) => `blocks.${block}.${kind}`),
    ).flat(),
    'lm_head',
  ];
  const caption = 'Relative error of the output';

  it('layers: error beside that of the simplest method, bits, places kept for what is to come', async () => {
    const svg = blankSvg();
    const bars = [
      { name: 'blocks.0.attn.qkv', errorBefore: 0.12, errorAfter: 0.08, bits: 4.5 },
      { name: 'blocks.0.attn.o', errorBefore: null, errorAfter: 0.05, bits: 8.5 },
      { name: 'blocks.0.mlp.gate_up', errorBefore: 0.1, errorAfter: null, bits: 2.5 },
      { name: 'lm_head', errorBefore: 0.02, errorAfter: 0.01, bits: 8.5 },
    ];
    drawLayers(svg, { slots: layerNames(2), bars, caption }, 600);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('layers'));
  });

  it('layers: the embedding stands before the blocks, apart from the head behind them', async () => {
    const svg = blankSvg();
    const bars = [{ name: 'embed', errorBefore: null, errorAfter: 0.07, bits: 5.1 }];
    drawLayers(svg, { slots: ['embed', ...layerNames(2)], bars, caption }, 600);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('layers-embed'));
  });

  it('layers: many blocks, nothing done yet', async () => {
    const svg = blankSvg();
    drawLayers(svg, { slots: layerNames(30), bars: [], caption }, 500);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('layers-none'));
  });

  it('sensitivity: what each number of bits would cost, the chosen one ringed, no loss at the foot', async () => {
    const svg = blankSvg();
    const slots = layerNames(2);
    const layers = slots.map((name, at) => ({
      name,
      choices: [
        { bits: 2, error: 0.3 / (at + 1) },
        { bits: 4, error: 0.02 / (at + 1) },
        { bits: 8, error: at === 3 ? 0 : 1e-4 / (at + 1) },
      ],
      chosen: at % 3 === 0 ? 8 : 4,
    }));
    drawSensitivity(svg, { slots, layers, caption: 'KL divergence of the logits, by bits' }, 600);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('sensitivity'));
  });

  it('layers: the one at a place is the one that is drawn there', () => {
    const slots = layerNames(2);
    expect([layerAt(slots, 600, 48), layerAt(slots, 600, 591), layerAt(slots, 600, 10)]).toEqual([
      'blocks.0.attn.qkv',
      'lm_head',
      null,
    ]);
  });

  it('legend of the probability colours', async () => {
    const svg = blankSvg();
    drawProbabilityLegend(svg, (shade) => `shade-${shade}`);
    await expect(linesOf(svg)).toMatchFileSnapshot(picture('probability-legend'));
  });
});
