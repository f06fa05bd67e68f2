import { generateRequestSchema } from '../../preload/contract/generation.ts';
import { openDatabase } from '../../main/library/database.ts';
import { runStore } from '../../main/library/runs.ts';

/** A process that writes a run for ever, to be killed. */
const [, , path = ''] = process.argv;
const store = runStore(
  openDatabase(path, () => undefined),
  20,
);
const prompt = { kind: 'completion' as const, text: 'hello' };
const recorder = store.begin(generateRequestSchema.parse({ model: 'tiny', prompt }), {
  kind: 'start',
  runId: null,
  promptTokens: 1,
  contextLength: 64,
  seed: 1,
  loadMs: 0,
});
process.send?.(recorder.id);
setInterval(() => {
  recorder.token({ kind: 'token', id: 1, text: 'x', logprob: -1, alternatives: [], ms: 5 });
}, 5);
