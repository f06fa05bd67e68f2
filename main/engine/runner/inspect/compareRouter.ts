import { implement } from '@orpc/server';
import { typedErrors } from '../../errors.ts';
import type { Jobs } from '../jobs.ts';
import type { ModelHolder } from '../loaded.ts';
import { answering } from './answering.ts';
import { compareContract } from './compareContract.ts';
import type { LazyCaptures } from './lazyCaptures.ts';

/** Answers questions about two models, about texts and about matrices; each loads what it takes. */
export function compareRouter(jobs: Jobs, holder: ModelHolder, captures: LazyCaptures) {
  const os = implement(compareContract).use(typedErrors);
  return os.router({
    difference: os.difference.handler(({ input, signal }) =>
      jobs.run(signal, async function* (stop) {
        const { difference } = await import('./difference.ts');
        yield* difference({ captures: await captures.open(), holder }, input, stop);
      }),
    ),
    patternPair: os.patternPair.handler(async ({ input }) => {
      const { patternPair } = await import('./difference.ts');
      return patternPair(await captures.open(), input);
    }),
    blame: os.blame.handler(({ input, signal }) =>
      jobs.run(signal, async function* (stop) {
        const { blame } = await import('./blame.ts');
        yield* blame({ captures: await captures.open(), holder }, input, stop);
      }),
    ),
    attribution: os.attribution.handler(({ input, signal }) =>
      jobs.run(signal, async function* (stop) {
        const { attribution } = await import('./attribution.ts');
        yield* attribution(holder.get(), captures, input, stop);
      }),
    ),
    losses: os.losses.handler(({ input, signal }) =>
      jobs.run(signal, async function* (stop) {
        const { lossesOf } = await import('./texts.ts');
        yield* lossesOf(holder.get(), input, stop);
      }),
    ),
    tokenText: os.tokenText.handler(async ({ input }) => {
      const { tokenFacts } = await import('./texts.ts');
      return tokenFacts(input);
    }),
    neighbours: os.neighbours.handler(async ({ input, signal }) => {
      const { neighboursOf } = await import('./texts.ts');
      return neighboursOf(input, signal);
    }),
    weights: os.weights.handler(({ input, signal }) =>
      jobs.run(signal, (stop) =>
        answering(async () => {
          const { layerFacts } = await import('./weights.ts');
          return layerFacts(input, stop);
        }),
      ),
    ),
  });
}
