import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type {
  Blame,
  Difference,
  DifferenceInput,
  EngineClient,
} from '../../preload/contract/index.ts';
import { newPath, UsageError, type Arguments } from './arguments.ts';
import { differenceOf } from './captured.ts';
import type { Command, Context } from './command.ts';
import { modelOf } from './model.ts';
import { note, noteProgress, print, printJson, table, tellsProgress } from './output.ts';
import { promptOf, promptOptions } from './prompt.ts';

/** Rows of the table of the largest differences, and of the heads that changed most. */
const MOST_ROWS = 10;

export const command: Command = {
  summary: 'show where two models part on a text, and which layers make them',
  synopsis: '<base> <variant> --prompt T [--new-tokens N] [--blame] [--html FILE]',
  options: {
    ...promptOptions,
    'new-tokens': {
      placeholder: 'N',
      help: 'tokens that the base writes behind the prompt (default: 32)',
    },
    blame: { help: 'search the layers that make the variant differ' },
    html: { placeholder: 'FILE', help: 'write the comparison as a page of HTML' },
  },
  usesRunner: true,

  check(args) {
    modelsOf(args);
    requestOf(args, ['', '']);
    const page = args.text('html');
    if (page !== undefined) checkPage(newPath(page));
  },

  async run({ args, engine, json, signal }) {
    const client = await engine();
    const [base, variant] = modelsOf(args);
    const models = [await modelOf(base, client), await modelOf(variant, client)] as const;
    const request = requestOf(args, models);
    const told = { json, signal };
    const difference = await differenceOf(told, client, request);
    const blame = args.has('blame') ? await blameOf(told, client, request) : null;
    const file = args.text('html');
    if (file !== undefined) {
      const { html } = await client.inspect.report({ difference: difference.id }, { signal });
      writePage(newPath(file), html);
    }
    if (json) return printJson(document(difference, blame));
    print(text(difference));
    if (blame !== null) print(`\n${blameText(blame)}`);
    if (file !== undefined) note(`\nwritten: ${newPath(file)}`);
  },
};

function modelsOf({ positionals }: Arguments): [string, string] {
  const [base, variant, more] = positionals;
  if (base === undefined || variant === undefined) {
    throw new UsageError('two models are compared: <base> <variant>');
  }
  if (more !== undefined) throw new UsageError(`two models are compared, not more: ${more}`);
  return [base, variant];
}

function requestOf(args: Arguments, [base, variant]: readonly [string, string]): DifferenceInput {
  const newTokens = args.number('new-tokens') ?? 32;
  if (!Number.isInteger(newTokens) || newTokens < 0 || newTokens > 4096) {
    throw new UsageError(`--new-tokens must be a whole number from 0 to 4096: ${newTokens}`);
  }
  return { base, variant, prompt: promptOf(args), newTokens };
}

async function blameOf(
  { json, signal }: Pick<Context, 'json' | 'signal'>,
  client: EngineClient,
  request: DifferenceInput,
): Promise<Blame> {
  for await (const event of await client.inspect.blame(request, { signal })) {
    if (event.kind === 'done') return event.blame;
    if (!tellsProgress(json)) continue;
    if (event.kind === 'progress') noteProgress(event);
    else note(`${event.layer}: ${percent(event.effect)}`);
  }
  throw new Error('a search ended without a result');
}

/** Refuses a place for the page before anything runs. */
function checkPage(file: string): void {
  if (!existsSync(dirname(file))) throw new UsageError(`--html names no folder there is: ${file}`);
  if (existsSync(file) && !statSync(file).isFile()) {
    throw new UsageError(`--html must be the name of a file: ${file}`);
  }
}

/** The page appears when it is complete; an older one of the same name is replaced. */
function writePage(file: string, html: string): void {
  const temporary = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(temporary, html, { flag: 'wx' });
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UsageError(`--html cannot be written: ${file}`, { cause: error });
  }
}

/** What `--json` prints: arrays of numbers as lists. */
const document = (
  { headDivergence, residualCosine, id: _id, ...rest }: Difference,
  blame: Blame | null,
): object => ({
  ...rest,
  headDivergence: headDivergence && [...headDivergence],
  residualCosine: [...residualCosine],
  ...(blame && { blame }),
});

function text(difference: Difference): string {
  const { tokens, promptTokens, positions } = difference;
  const kls = positions.map(({ kl }) => kl);
  const mean = kls.reduce((sum, kl) => sum + kl, 0) / kls.length;
  return [
    `${tokens.length} tokens, ${promptTokens} of them the prompt; KL mean ${mean.toPrecision(3)}, largest ${Math.max(...kls).toPrecision(3)} nats`,
    parting(difference),
    largestTable(difference),
    headsText(difference),
  ].join('\n\n');
}

function parting({ firstDivergence: at, tokens, promptTokens, positions }: Difference): string {
  if (tokens.length === promptTokens) return 'nothing was written behind the prompt';
  if (at === null) return `both write the same ${tokens.length - promptTokens} tokens`;
  const { base, variant } = positions[at - 1];
  const written = tokens.slice(promptTokens, at).map((one) => one.text);
  return [
    `they part at token ${at + 1}, ${at - promptTokens + 1} behind the prompt: ${JSON.stringify(written.join(''))}`,
    `  base     ${JSON.stringify(base.top.text)} ${percent(Math.exp(base.topLogprob))}`,
    `  variant  ${JSON.stringify(variant.top.text)} ${percent(Math.exp(variant.topLogprob))}`,
  ].join('\n');
}

function largestTable({ tokens, positions }: Difference): string {
  const rows = positions
    .map((position, at) => ({ ...position, at }))
    .toSorted((a, b) => b.kl - a.kl)
    .slice(0, MOST_ROWS)
    .map(({ at, base, variant, kl }) => [
      String(at + 2),
      JSON.stringify(tokens[at].text),
      JSON.stringify(base.top.text),
      JSON.stringify(variant.top.text),
      kl.toPrecision(3),
    ]);
  return table(['token', 'behind', 'base', 'variant', 'KL'], rows);
}

function headsText({ heads, headDivergence, note: why }: Difference): string {
  if (heads === null || headDivergence === null) return `attention was not compared: ${why}`;
  const all = heads.flatMap((count, layer) =>
    Array.from({ length: count }, (_, head) => [layer, head] as const),
  );
  const rows = all
    .map(([layer, head], at) => ({ layer, head, divergence: headDivergence[at] }))
    .toSorted((a, b) => b.divergence - a.divergence)
    .slice(0, MOST_ROWS)
    .map(({ layer, head, divergence }) => [String(layer), String(head), divergence.toPrecision(3)]);
  return table(['layer', 'head', 'JS, bit'], rows);
}

function blameText({ position, expected, given, suspects, sufficient, runs }: Blame): string {
  const rows = suspects.map(({ layer, effect, restores }) => [
    layer,
    percent(effect),
    restores ? 'yes' : '',
  ]);
  const what =
    expected.id === given.id
      ? `no token flipped; at token ${position + 1} they differ most`
      : `at token ${position + 1}: ${JSON.stringify(expected.text)} became ${JSON.stringify(given.text)}`;
  return [
    `${what} (${runs} runs)`,
    table(['layer', 'effect', 'brings it back'], rows),
    ...(sufficient.length > 0 ? [`enough together: ${sufficient.join(', ')}`] : []),
  ].join('\n');
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
