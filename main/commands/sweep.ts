import { benchRequestSchema, type BenchRecord } from '../../preload/contract/bench.ts';
import { errorMessages, LatheError } from '../../preload/contract/errors.ts';
import type { EvaluationRecord } from '../../preload/contract/evaluation.ts';
import type { EngineClient } from '../../preload/contract/index.ts';
import type { Job, SweepRequest } from '../../preload/contract/jobs.ts';
import type { ModelRecord } from '../../preload/contract/models.ts';
import { onlyPositional, UsageError, type Arguments } from './arguments.ts';
import type { Command } from './command.ts';
import { evaluationOf, evaluationOptions, figure, interval, measurementOf } from './evaluation.ts';
import { failureOf, follow } from './job.ts';
import { modelOf } from './model.ts';
import { bytes, print, printJson } from './output.ts';
import { parseChange, recipeOf } from './recipe.ts';
import { resumedSweep } from './resumedSweep.ts';

export const command: Command = {
  summary: 'make variants of a model by several recipes and measure each',
  synopsis: '<model> --recipes A,B,… [--metrics A,B,… --data NAME|FILE] [--bench]',
  options: {
    recipes: { placeholder: 'A,B,…', help: 'those that lathe recipes lists, or JSON files' },
    set: {
      placeholder: 'PATH=VALUE',
      multiple: true,
      help: 'change every recipe, as in passes.0.groupSize=64; may be given again',
    },
    ...evaluationOptions,
    bench: { help: 'measure speed and memory, too' },
  },
  usesRunner: true,
  check(args) {
    onlyPositional(args, 'model');
    recipesOf(args);
    args.texts('set').forEach(parseChange);
    evaluationsOf(args);
  },
  async run({ args, engine, json, signal }) {
    const client = await engine();
    const model = await modelOf(onlyPositional(args, 'model'), client);
    const recipes = [];
    for (const typed of recipesOf(args)) {
      recipes.push(await recipeOf(typed, args.texts('set'), client));
    }
    const bench = args.has('bench') ? benchRequestSchema.omit({ model: true }).parse({}) : null;
    const request = { model, recipes, evaluations: evaluationsOf(args), bench };
    const start = async (): Promise<string[]> => (await client.sweep(request, { signal })).ids;
    const ids = (await resumedSweep(client, request)) ?? (await start());
    const outcomes: Outcome[] = [];
    for await (const outcome of outcomesOf(client, ids, signal)) {
      outcomes.push(outcome);
      if (!json) print(lineOf(outcome));
    }
    if (signal.aborted) throw new LatheError('cancelled', errorMessages.cancelled);
    if (json) printJson(outcomes.map(documentOf));
    return outcomes.some(({ failure }) => failure !== null) ? 1 : 0;
  },
};

/** What became of the model itself, or of a variant. */
interface Outcome {
  readonly name: string;
  /** null for one that was not made. */
  readonly record: ModelRecord | null;
  readonly evaluations: readonly EvaluationRecord[];
  readonly bench: BenchRecord | null;
  /** Of the first of its jobs that has no result. */
  readonly failure: LatheError | null;
}

/** Follows the jobs in their order; what has all of its jobs behind it is complete. */
async function* outcomesOf(
  client: EngineClient,
  ids: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<Outcome> {
  // The last first, so that none begins because the one before it was cancelled.
  const cancelAll = (): void => {
    for (const id of ids.toReversed()) void client.jobs.cancel({ id }).catch(() => undefined);
  };
  signal.addEventListener('abort', cancelAll, { once: true });
  let jobs: Job[] = [];
  let subject: string | null = null;
  for (const id of ids) {
    const job = await follow(client, id, signal);
    // The model is told of also where only its variants are measured.
    subject ??= job.model;
    if (subjectOf(job) !== subject) {
      yield await outcomeOf(client, subject, jobs);
      jobs = [];
      subject = subjectOf(job);
    }
    jobs.push(job);
  }
  if (subject !== null) yield await outcomeOf(client, subject, jobs);
}

const subjectOf = (job: Job): string => (job.kind === 'compress' ? job.name : job.model);

async function outcomeOf(
  client: EngineClient,
  name: string,
  jobs: readonly Job[],
): Promise<Outcome> {
  const models = await client.models.list();
  const failed = jobs.find(({ result }) => result === null);
  return {
    name,
    record: models.find((model) => model.name === name) ?? null,
    evaluations: jobs.flatMap((job) => (job.kind === 'evaluate' ? (job.result ?? []) : [])),
    bench: jobs.flatMap((job) => (job.kind === 'bench' ? (job.result ?? []) : []))[0] ?? null,
    failure: failed === undefined ? null : failureOf(failed),
  };
}

function lineOf({ name, record, evaluations, bench, failure }: Outcome): string {
  const parts = [
    ...(record === null ? [] : [bytes(record.bytes)]),
    ...evaluations.map(({ metric, value, ci95 }) =>
      ci95 === null
        ? `${metric} ${figure(value)}`
        : `${metric} ${figure(value)} (${interval(ci95)})`,
    ),
    ...(bench === null
      ? []
      : [
          `${figure(bench.decode.tokensPerSecond)} tokens/s`,
          `${bytes(bench.peakRssBytes)} resident`,
        ]),
    ...(failure === null ? [] : [`failed: ${failure.message}`]),
  ];
  return `${name}: ${parts.join(', ')}`;
}

function documentOf({ name, record, evaluations, bench, failure }: Outcome): object {
  const { decode, prefill, ttft, peakRssBytes, protocol } = bench ?? {};
  return {
    model: name,
    record,
    metrics: Object.fromEntries(evaluations.map((one) => [one.metric, measurementOf(one)])),
    bench: bench === null ? null : { prefill, decode, ttft, peakRssBytes, protocol },
    ...(failure === null
      ? {}
      : { error: { code: failure.code, message: failure.message, ...failure.data } }),
  };
}

function recipesOf(args: Arguments): string[] {
  const typed = args.text('recipes');
  if (typed === undefined) throw new UsageError('--recipes is missing');
  const names = typed.split(',').map((name) => name.trim());
  if (!names.includes('')) return names;
  throw new UsageError(
    `--recipes must be names with commas, as in int8-weights,int4-rtn: ${typed}`,
  );
}

/** Quality is measured where metrics are named; something must be. */
function evaluationsOf(args: Arguments): SweepRequest['evaluations'] {
  if (args.text('metrics') !== undefined || !args.has('bench')) return [evaluationOf(args)];
  return [];
}
