import { implement } from '@orpc/server';
import { typedErrors } from '../../errors.ts';
import type { Jobs } from '../jobs.ts';
import type { ModelHolder } from '../loaded.ts';
import { answering } from './answering.ts';
import { insideContract } from './contract.ts';
import type { LazyCaptures } from './lazyCaptures.ts';

/** Answers questions about the inside of models. What that takes is loaded by who asks first. */
export function insideRouter(jobs: Jobs, captures: LazyCaptures, holder: ModelHolder) {
  const os = implement(insideContract).use(typedErrors);
  const asked = async ({ capture }: { capture: string }) => {
    const { answers } = await import('./answers.ts');
    return { answers, kept: (await captures.open()).get(capture) };
  };
  const answer = <T>(
    input: { capture: string },
    signal: AbortSignal | undefined,
    work: (found: Awaited<ReturnType<typeof asked>>, stop: AbortSignal) => Promise<T>,
  ) => jobs.run(signal, (stop) => answering(async () => work(await asked(input), stop)));
  return os.router({
    capture: os.capture.handler(({ input, signal }) =>
      jobs.run(signal, async function* (stop) {
        const { capture } = await import('./capture.ts');
        yield* capture({ captures: await captures.open(), holder }, input, stop);
      }),
    ),
    pattern: os.pattern.handler(async ({ input }) => {
      const { answers, kept } = await asked(input);
      return answers.pattern(kept, input);
    }),
    sheet: os.sheet.handler(({ input, signal }) =>
      answer(input, signal, ({ answers, kept }, stop) => answers.sheet(kept, input.size, stop)),
    ),
    through: os.through.handler(({ input, signal }) =>
      answer(input, signal, ({ answers, kept }, stop) => answers.through(kept, input.method, stop)),
    ),
    heads: os.heads.handler(({ input, signal }) =>
      answer(input, signal, ({ answers, kept }, stop) => answers.heads(kept, stop)),
    ),
    values: os.values.handler(({ input, signal }) =>
      answer(input, signal, ({ answers, kept }, stop) => answers.values(kept, input.hook, stop)),
    ),
    lens: os.lens.handler(({ input, signal }) =>
      answer(input, signal, ({ answers, kept }, stop) => answers.lens(kept, input.top, stop)),
    ),
    predictions: os.predictions.handler(({ input, signal }) =>
      answer(input, signal, async ({ answers, kept }, stop) => {
        const against =
          input.against === undefined ? null : (await captures.open()).get(input.against);
        return answers.predictions(kept, input.top, against, stop);
      }),
    ),
    direct: os.direct.handler(({ input, signal }) =>
      answer(input, signal, ({ answers, kept }, stop) => answers.direct(kept, input, stop)),
    ),
  });
}
