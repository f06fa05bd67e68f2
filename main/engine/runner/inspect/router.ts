import { implement } from '@orpc/server';
import { typedErrors } from '../../errors.ts';
import type { Jobs } from '../jobs.ts';
import type { ModelHolder } from '../loaded.ts';
import { insideContract } from './contract.ts';
import type { LazyCaptures } from './lazyCaptures.ts';

/** Answers questions about the inside of models. What that takes is loaded by who asks first. */
export function insideRouter(jobs: Jobs, captures: LazyCaptures, holder: ModelHolder) {
  const os = implement(insideContract).use(typedErrors);
  const asked = async ({ capture }: { capture: string }) => {
    const { answers } = await import('./answers.ts');
    return { answers, kept: (await captures()).get(capture) };
  };
  return os.router({
    capture: os.capture.handler(({ input, signal }) =>
      jobs.run(signal, async function* (stop) {
        const { capture } = await import('./capture.ts');
        yield* capture({ captures: await captures(), holder }, input, stop);
      }),
    ),
    sheet: os.sheet.handler(async ({ input, signal }) => {
      const { answers, kept } = await asked(input);
      return answers.sheet(kept, input.size, signal);
    }),
    pattern: os.pattern.handler(async ({ input }) => {
      const { answers, kept } = await asked(input);
      return answers.pattern(kept, input);
    }),
    through: os.through.handler(async ({ input, signal }) => {
      const { answers, kept } = await asked(input);
      return answers.through(kept, input.method, signal);
    }),
    heads: os.heads.handler(async ({ input, signal }) => {
      const { answers, kept } = await asked(input);
      return answers.heads(kept, signal);
    }),
    values: os.values.handler(async ({ input, signal }) => {
      const { answers, kept } = await asked(input);
      return answers.values(kept, input.hook, signal);
    }),
    lens: os.lens.handler(async ({ input, signal }) => {
      const { answers, kept } = await asked(input);
      return answers.lens(kept, input.top, signal);
    }),
    predictions: os.predictions.handler(async ({ input, signal }) => {
      const { answers, kept } = await asked(input);
      const against = input.against === undefined ? null : (await captures()).get(input.against);
      return answers.predictions(kept, input.top, against, signal);
    }),
    direct: os.direct.handler(async ({ input, signal }) => {
      const { answers, kept } = await asked(input);
      return answers.direct(kept, input, signal);
    }),
  });
}
