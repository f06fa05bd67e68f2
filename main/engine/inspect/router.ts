import { implement } from '@orpc/server';
import { contract } from '../../../preload/contract/index.ts';
import { typedErrors } from '../errors.ts';
import type { Workshop } from '../ownRunner.ts';
import { attribution } from './attribution.ts';
import { CapturePlaces } from './captures.ts';
import { Differences } from './differences.ts';
import { repair } from './repair.ts';
import { losses, neighbours, tokenText } from './texts.ts';
import { weights } from './weights.ts';

/** Answers what is asked about the inside of models. */
export function inspectRouter({ core }: Workshop) {
  const os = implement(contract.inspect).use(typedErrors);
  const captures = new CapturePlaces(core);
  const differences = new Differences(core);
  return {
    capture: os.capture.handler(({ input, signal }) => captures.capture(input, signal)),
    sheet: os.sheet.handler(({ input, signal }) =>
      captures.work(input, (client, options) => client.sheet(input, options), signal),
    ),
    pattern: os.pattern.handler(({ input, signal }) =>
      captures.ask(input, (client, options) => client.pattern(input, options), signal),
    ),
    through: os.through.handler(({ input, signal }) =>
      captures.work(input, (client, options) => client.through(input, options), signal),
    ),
    heads: os.heads.handler(({ input, signal }) =>
      captures.work(input, (client, options) => client.heads(input, options), signal),
    ),
    values: os.values.handler(({ input, signal }) =>
      captures.work(input, (client, options) => client.values(input, options), signal),
    ),
    lens: os.lens.handler(({ input, signal }) =>
      captures.work(input, (client, options) => client.lens(input, options), signal),
    ),
    predictions: os.predictions.handler(({ input, signal }) =>
      captures.work(input, (client, options) => client.predictions(input, options), signal),
    ),
    direct: os.direct.handler(({ input, signal }) =>
      captures.work(input, (client, options) => client.direct(input, options), signal),
    ),
    attribution: os.attribution.handler(({ input, signal }) => attribution(core, input, signal)),
    difference: os.difference.handler(({ input, signal }) => differences.compare(input, signal)),
    patternPair: os.patternPair.handler(({ input, signal }) =>
      differences.patternPair(input, signal),
    ),
    report: os.report.handler(({ input }) => ({ html: differences.report(input.difference) })),
    blame: os.blame.handler(({ input, signal }) => differences.blame(input, signal)),
    repair: os.repair.handler(({ input, signal }) => repair(core, input, signal)),
    tokenText: os.tokenText.handler(({ input, signal }) => tokenText(core, input, signal)),
    losses: os.losses.handler(({ input, signal }) => losses(core, input, signal)),
    neighbours: os.neighbours.handler(({ input, signal }) => neighbours(core, input, signal)),
    weights: os.weights.handler(({ input, signal }) => weights(core, input, signal)),
  };
}
