import { implement } from '@orpc/server';
import type { Token } from '../../../preload/contract/models.ts';
import type { Prompt } from '../../../preload/contract/generation.ts';
import { generate } from '../../inference/generate.ts';
import { encodePrompt } from '../../inference/prompt.ts';
import { typedErrors } from '../errors.ts';
import { runnerContract } from './contract.ts';
import { inspectFolder, tensorTable } from './folder.ts';
import { describeGraph } from './graph.ts';
import { compareRouter } from './inspect/compareRouter.ts';
import { lazyCaptures } from './inspect/lazyCaptures.ts';
import { insideRouter } from './inspect/router.ts';
import { tokensOf } from './inspect/tokens.ts';
import { createJobs } from './jobs.ts';
import { createHolder } from './loaded.ts';
import { readTokenizer } from './tokenizer.ts';

const jobs = createJobs();
const holder = createHolder();
const captures = lazyCaptures();
const os = implement(runnerContract).use(typedErrors);

/** Everything the engine may ask of a runner. */
export const runnerRouter = os.router({
  inspect: os.inspect.handler(({ input }) => inspectFolder(input.folder)),
  tensors: os.tensors.handler(({ input }) => tensorTable(input.folder)),
  graph: os.graph.handler(({ input }) => describeGraph(input)),
  tokenize: os.tokenize.handler(({ input }) => tokenize(input.folder, input.prompt)),
  load: os.load.handler(({ input: { memory, ...request }, signal }) =>
    jobs.run(signal, () =>
      holder.load(request, async () => {
        if (memory !== undefined) await captures.makeRoom(memory);
      }),
    ),
  ),
  generate: os.generate.handler(({ input, signal }) => {
    const { decoder, tokenizer } = holder.get();
    return jobs.run(signal, (stop) => generate(decoder, tokenizer, input, { signal: stop }));
  }),
  bench: os.bench.handler(({ input, signal }) =>
    jobs.run(signal, async function* (stop) {
      const { bench } = await import('./bench.ts');
      yield* bench(input, stop);
    }),
  ),
  evaluate: os.evaluate.handler(({ input, signal }) =>
    jobs.run(signal, async function* (stop) {
      const { evaluateLoaded } = await import('./evaluate.ts');
      yield* evaluateLoaded(holder.get(), input, stop);
    }),
  ),
  // Passes are many files: they are loaded by who needs them.
  linears: os.linears.handler(async ({ input }) => {
    const { linearTable } = await import('./recipeFacts.ts');
    return linearTable(input.folder);
  }),
  estimate: os.estimate.handler(async ({ input }) => {
    const { estimate } = await import('./recipeFacts.ts');
    return estimate(input);
  }),
  compress: os.compress.handler(({ input, signal }) =>
    jobs.run(signal, async function* (stop) {
      const { compress } = await import('./compress.ts');
      yield* compress(input, stop);
    }),
  ),
  export: os.export.handler(({ input, signal }) =>
    jobs.run(signal, async function* (stop) {
      const { writeExport } = await import('./export.ts');
      yield* writeExport(input, stop);
    }),
  ),
  inside: insideRouter(jobs, captures, holder),
  compare: compareRouter(jobs, holder, captures),
  cancel: os.cancel.handler(() => jobs.cancel()),
});

async function tokenize(folder: string, prompt: Prompt): Promise<Token[]> {
  const tokenizer = await readTokenizer(folder);
  return tokensOf(tokenizer, await encodePrompt(tokenizer, prompt));
}
