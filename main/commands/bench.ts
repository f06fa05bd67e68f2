import {
  benchRequestSchema,
  costPerMillion,
  type BenchRequest,
} from '../../preload/contract/bench.ts';
import { onlyPositional, refusedBy, UsageError, type Arguments } from './arguments.ts';
import { benchText } from './benchText.ts';
import type { Command } from './command.ts';
import { failureOf, follow } from './job.ts';
import { modelOf } from './model.ts';
import { print, printJson } from './output.ts';
import { formOf } from './show.ts';

export const command: Command = {
  summary: 'measure how fast a model is on this machine, and what it takes',
  synopsis:
    '<model> [--prompt-tokens N] [--new-tokens N] [--batch N] [--runs N] [--contexts A,B,…]',
  options: {
    'prompt-tokens': { placeholder: 'N', help: 'tokens to read (default: 128)' },
    'new-tokens': { placeholder: 'N', help: 'tokens to generate (default: 64)' },
    batch: { placeholder: 'N', help: 'equal rows at once (default: 1)' },
    runs: { placeholder: 'N', help: 'runs that count, after one to warm up (default: 5)' },
    form: { placeholder: 'fused|plain', help: 'which graph to run (default: fused)' },
    contexts: { placeholder: 'A,B,…', help: 'prompts of so many tokens besides' },
    batches: { placeholder: 'A,B,…', help: 'so many rows at once besides' },
    'threads-sweep': { placeholder: 'A,B,…', help: 'so many threads besides' },
    load: { help: 'load the model cold and warm' },
    profile: { help: 'time every operator' },
    'price-per-hour': { placeholder: 'P', help: 'of the machine: says what a million tokens cost' },
  },
  usesRunner: true,
  check(args) {
    onlyPositional(args, 'model');
    requestOf(args);
    priceOf(args);
  },
  async run({ args, engine, json, signal }) {
    const client = await engine();
    const model = await modelOf(onlyPositional(args, 'model'), client);
    const request = { ...requestOf(args), model };
    const { ids } = await client.benches.start({ requests: [request] }, { signal });
    const job = await follow(client, ids[0], signal);
    if (job.kind !== 'bench' || job.result === null) throw failureOf(job);
    const price = priceOf(args);
    const { tokensPerSecond } = job.result.decode;
    const cost = price === null ? {} : { costPerMillion: costPerMillion(tokensPerSecond, price) };
    if (json) {
      const decodeMs = [...(await client.benches.samples({ id: job.result.id }))];
      printJson({ ...job.result, decodeMs, ...cost });
    } else print(benchText(job.result, price));
  },
};

function requestOf(args: Arguments): Omit<BenchRequest, 'model'> {
  const typed = {
    promptTokens: args.number('prompt-tokens'),
    newTokens: args.number('new-tokens'),
    batch: args.number('batch'),
    runs: args.number('runs'),
    form: formOf(args),
    contexts: numbersOf(args, 'contexts'),
    batches: numbersOf(args, 'batches'),
    threadCounts: numbersOf(args, 'threads-sweep'),
    load: args.has('load'),
    profile: args.has('profile'),
  };
  const asked = benchRequestSchema.omit({ model: true });
  const { data, error } = asked.safeParse(typed, { reportInput: true });
  if (data !== undefined) return data;
  throw refusedBy(error, optionOf);
}

/** `promptTokens` → `prompt-tokens` */
const optionOf = ([field]: readonly string[]): string =>
  field === 'threadCounts'
    ? 'threads-sweep'
    : field.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

function numbersOf(args: Arguments, name: string): number[] {
  const typed = args.text(name);
  if (typed === undefined) return [];
  if (/^\d+(,\d+)*$/.test(typed)) return typed.split(',').map(Number);
  throw new UsageError(`--${name} must be whole numbers with commas, as in 128,512: ${typed}`);
}

function priceOf(args: Arguments): number | null {
  const price = args.number('price-per-hour') ?? null;
  if (price === null || price > 0) return price;
  throw new UsageError(`--price-per-hour must be more than nothing: ${price}`);
}
