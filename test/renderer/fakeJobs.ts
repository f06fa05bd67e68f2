import { recipeSchema, type CompressJob } from '../../preload/contract/index.ts';
import { linears, layerReport } from './fakeCompress.ts';
import { records } from './fakeModels.ts';

const at = Date.parse('2026-03-01T11:40:00Z');

/** A job whose engine stopped in the middle. */
export const interruptedJob: CompressJob = {
  id: 'job-0',
  kind: 'compress',
  model: 'tiny-stories',
  recipe: recipeSchema.parse({
    name: 'int4-gptq',
    passes: [{ pass: 'quantize-gptq' }, { pass: 'quantize-embedding' }],
  }),
  name: 'tiny-stories/int4-gptq',
  state: 'interrupted',
  progress: { fraction: 0.45, step: 0, detail: 'blocks.2.mlp.down' },
  createdAt: at,
  startedAt: at,
  endedAt: at + 60_000,
  error: {
    code: 'engine_lost',
    message: 'the engine stopped while this job ran',
    data: { next: ['retry'] },
  },
  result: null,
  passes: [],
  layers: linears(records[0])
    .slice(0, 9)
    .map((linear, index) => ({ step: 0, report: layerReport(linear, index) })),
  log: [{ at, text: 'Pass 1 of 2: quantize-gptq' }],
};
