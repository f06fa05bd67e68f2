import { LatheError } from '../../preload/contract/errors.ts';
import type { EngineClient } from '../../preload/contract/index.ts';
import type { CompressEstimate, Job, JobProgress } from '../../preload/contract/jobs.ts';
import type { ModelRecord } from '../../preload/contract/models.ts';
import type { PassReport, Recipe } from '../../preload/contract/recipe.ts';
import { onlyPositional, UsageError, type Arguments } from './arguments.ts';
import type { Command, Context } from './command.ts';
import { modelOf } from './model.ts';
import { bytes, note, noteProgress, print, printJson, table } from './output.ts';
import { parseChange, recipeOf } from './recipe.ts';

export const command: Command = {
  summary: 'make a smaller variant of a model by a recipe',
  synopsis: '<model> --recipe NAME|FILE [--name N] [--set PATH=VALUE …] [--dry-run]',
  options: {
    recipe: { placeholder: 'NAME|FILE', help: 'a recipe of the library, or a JSON file' },
    name: {
      placeholder: 'N',
      help: "the variant's name, behind the model's (default: the recipe's)",
    },
    set: {
      placeholder: 'PATH=VALUE',
      multiple: true,
      help: 'change the recipe, as in passes.0.bits=2; may be given again',
    },
    'dry-run': { help: 'predict size, memory and time, and make nothing' },
  },
  usesRunner: true,
  check(args) {
    onlyPositional(args, 'model');
    typedRecipe(args);
    args.texts('set').forEach(parseChange);
  },
  async run(context) {
    const { args, engine, json, signal } = context;
    const client = await engine();
    const model = await modelOf(onlyPositional(args, 'model'), client);
    const recipe = await recipeOf(typedRecipe(args), args.texts('set'), client);
    if (args.has('dry-run')) {
      const estimate = await client.compress.estimate({ model, recipe }, { signal });
      if (json) printJson(estimate);
      else print(estimateText(estimate));
      return;
    }
    const { record, passes } = await make(context, client, model, recipe);
    if (json) printJson({ ...record, passes: passes.map(passOf) });
    else print(resultText(record, passes));
  },
};

function typedRecipe(args: Arguments): string {
  const typed = args.text('recipe');
  if (typed === undefined) throw new UsageError('--recipe is missing');
  return typed;
}

/** Runs the recipe as a job; Ctrl-C cancels it and leaves nothing of it. */
async function make(
  { args, signal }: Context,
  client: EngineClient,
  model: string,
  recipe: Recipe,
): Promise<{ record: ModelRecord; passes: readonly PassReport[] }> {
  const name = args.text('name');
  const id =
    (await resumed(client, model, recipe, name)) ??
    (await started(client, { model, recipe, name, signal }));
  const cancel = (): void => void client.jobs.cancel({ id }).catch(() => undefined);
  signal.addEventListener('abort', cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    return endOf(await watch(client, id));
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

interface Wanted {
  readonly model: string;
  readonly recipe: Recipe;
  readonly name: string | undefined;
  readonly signal: AbortSignal;
}

async function started(
  client: EngineClient,
  { model, recipe, name, signal }: Wanted,
): Promise<string> {
  const names = name === undefined ? {} : { names: [name] };
  const { ids } = await client.compress.start({ model, recipes: [recipe], ...names }, { signal });
  return ids[0];
}

/** A job of the same work that broke off goes on where it was. */
async function resumed(
  client: EngineClient,
  model: string,
  recipe: Recipe,
  name: string | undefined,
): Promise<string | null> {
  const interrupted = (await client.jobs.list()).filter(({ state }) => state === 'interrupted');
  if (interrupted.length === 0) return null;
  const models = await client.models.list();
  const known = models.find((record) => record.name === model || record.folder === model);
  const job = interrupted.find(
    (one) =>
      one.model === known?.name &&
      JSON.stringify(one.recipe) === JSON.stringify(recipe) &&
      (name === undefined || one.name.endsWith(`/${name}`)),
  );
  if (job === undefined) return null;
  note(`resuming ${job.name}, which was interrupted`);
  await client.jobs.resume({ id: job.id });
  return job.id;
}

/** Progress on stderr, at most so often unless another pass begins. */
const noteMs = 500;

async function watch(client: EngineClient, id: string): Promise<Job> {
  let last: Job | null = null;
  let notedAt = -noteMs;
  let step: JobProgress['step'] = null;
  for await (const event of await client.jobs.watch({ id })) {
    if (event.kind === 'job') last = event.job;
    if (event.kind === 'log') note(event.entry.text);
    if (event.kind !== 'progress') continue;
    const { detail, fraction, remainingMs } = event.progress;
    const now = performance.now();
    if (now - notedAt < noteMs && step === event.progress.step) continue;
    notedAt = now;
    step = event.progress.step;
    noteProgress({
      kind: 'progress',
      stage: detail,
      fraction,
      ...(remainingMs === undefined ? {} : { remainingMs }),
    });
  }
  if (last === null) throw new Error('a job was watched and said nothing');
  return last;
}

function endOf({ state, name, error, result, passes }: Job) {
  if (result !== null) return { record: result, passes };
  if (state === 'cancelled') throw new LatheError('cancelled', `cancelled: ${name}`);
  if (state === 'interrupted') note('The same command goes on behind the last finished pass.');
  if (error === null) throw new LatheError('engine_lost', `the job ended as ${state}: ${name}`);
  throw new LatheError(error.code, error.message, error.data);
}

/** `changed` counts the layers that are not as they were. */
const passOf = ({ step, seconds, bytesBefore, bytes: after, layers, notes }: PassReport) => ({
  pass: step.pass,
  changed: layers.length,
  seconds,
  bytesBefore,
  bytes: after,
  layers,
  notes,
});

function resultText(record: ModelRecord, passes: readonly PassReport[]): string {
  const rows = passes.map((pass) => [
    pass.step.pass,
    String(pass.layers.length),
    pass.seconds.toFixed(1),
    bytes(pass.bytesBefore),
    bytes(pass.bytes),
  ]);
  const made = table(['pass', 'layers', 'seconds', 'before', 'after'], rows);
  return `${made}\n\n${record.name}: ${bytes(record.bytes)} in ${record.folder}`;
}

function estimateText({ steps, bytesBefore, bytes: after, ...all }: CompressEstimate): string {
  const { calibration, peakBytes, seconds } = all;
  const rows = steps.map((step) => [
    step.pass,
    bytes(step.bytes),
    bytes(step.peakBytes),
    step.seconds.toFixed(1),
  ]);
  const text =
    calibration === null
      ? ''
      : `\ncalibration: ${calibration.sequences} × ${calibration.length} tokens of ${calibration.available}`;
  return (
    `${table(['pass', 'size after', 'memory', 'seconds'], rows)}\n\n` +
    `${bytes(bytesBefore)} → ${bytes(after)}, about ${seconds.toFixed(1)} s, ` +
    `at most ${bytes(peakBytes)} besides the weights${text}`
  );
}
