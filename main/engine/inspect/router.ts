import { implement } from '@orpc/server';
import { contract } from '../../../preload/contract/index.ts';
import { typedErrors } from '../errors.ts';
import type { Workshop } from '../ownRunner.ts';
import { CapturePlaces } from './captures.ts';

/** Answers what is asked about the inside of models. */
export function inspectRouter({ core }: Workshop) {
  const os = implement(contract.inspect).use(typedErrors);
  const captures = new CapturePlaces(core);
  return {
    capture: os.capture.handler(({ input, signal }) => captures.capture(input, signal)),
    sheet: os.sheet.handler(({ input, signal }) =>
      captures.ask(input, (client, options) => client.sheet(input, options), signal),
    ),
    pattern: os.pattern.handler(({ input, signal }) =>
      captures.ask(input, (client, options) => client.pattern(input, options), signal),
    ),
    through: os.through.handler(({ input, signal }) =>
      captures.ask(input, (client, options) => client.through(input, options), signal),
    ),
    heads: os.heads.handler(({ input, signal }) =>
      captures.ask(input, (client, options) => client.heads(input, options), signal),
    ),
    values: os.values.handler(({ input, signal }) =>
      captures.ask(input, (client, options) => client.values(input, options), signal),
    ),
    lens: os.lens.handler(({ input, signal }) =>
      captures.ask(input, (client, options) => client.lens(input, options), signal),
    ),
    predictions: os.predictions.handler(({ input, signal }) =>
      captures.ask(input, (client, options) => client.predictions(input, options), signal),
    ),
    direct: os.direct.handler(({ input, signal }) =>
      captures.ask(input, (client, options) => client.direct(input, options), signal),
    ),
  };
}
