import type { StepInput } from '../../preload/contract/recipe.ts';
import type { BenchRow } from './pruneRows.ts';

const methods: readonly (readonly [string, (bits: 2 | 4, groupSize: 32 | 128) => StepInput])[] = [
  ['RTN', (bits, groupSize) => ({ pass: 'quantize-rtn', bits, groupSize, symmetric: false })],
  ['GPTQ', (bits, groupSize) => ({ pass: 'quantize-gptq', bits, groupSize, symmetric: false })],
  ['AWQ', (bits, groupSize) => ({ pass: 'quantize-awq', bits, groupSize })],
  ['HQQ', (bits, groupSize) => ({ pass: 'quantize-hqq', bits, groupSize })],
];

const mixed = (most: number): StepInput => ({
  pass: 'quantize-mixed',
  limit: { kind: 'bits-per-weight', most },
  sensitivity: 'logit-kl',
  method: 'gptq',
  targets: ['blocks.**'],
});

/** Everything that quantizes, on the matrices of the blocks alone. */
export const quantizeRows: readonly BenchRow[] = [
  { label: 'fp32', passes: [] },
  ...([4, 2] as const).flatMap((bits) =>
    ([32, 128] as const).flatMap((groupSize) =>
      methods.map(([name, step]): BenchRow => ({
        label: `${name} ${bits} bit, group ${groupSize}`,
        passes: [step(bits, groupSize)],
      })),
    ),
  ),
  { label: 'RTN 8 bit, group 32', passes: [{ pass: 'quantize-rtn', bits: 8 }] },
  { label: 'int8 dynamic', passes: [{ pass: 'quantize-int8-dynamic' }] },
  { label: 'int8 static', passes: [{ pass: 'quantize-int8-static' }] },
  {
    label: 'int8 static, entropy',
    passes: [{ pass: 'quantize-int8-static', method: 'entropy' }],
  },
  {
    label: 'int8 static, smoothed',
    passes: [{ pass: 'smooth-quant' }, { pass: 'quantize-int8-static' }],
  },
  {
    label: 'int8 dynamic, smoothed',
    passes: [{ pass: 'smooth-quant' }, { pass: 'quantize-int8-dynamic' }],
  },
  { label: 'mixed, 3.5 bits per weight', passes: [mixed(3.5)] },
  { label: 'mixed, 4.5 bits per weight', passes: [mixed(4.5)] },
  { label: 'embedding and head 8 bit', passes: [{ pass: 'quantize-embedding' }] },
  { label: 'float16', passes: [{ pass: 'convert-float' }] },
];
