import type { EngineClient } from '../../preload/contract/index.ts';
import type { CompressEstimate } from '../../preload/contract/jobs.ts';
import type { ModelRecord } from '../../preload/contract/models.ts';
import type { PassReport, Recipe } from '../../preload/contract/recipe.ts';
import { newName, onlyPositional, UsageError, type Arguments } from './arguments.ts';
import type { Command, Context } from './command.ts';
import { endedEarly, follow, resumed } from './job.ts';
import { modelOf, nameOf } from './model.ts';
import { bytes, print, printJson, table } from './output.ts';
import { parseChange, recipeOf } from './recipe.ts';

export const command: Command = {
  summary: 'make a smaller variant of a model by a recipe',
  synopsis: '<model> --recipe NAME|FILE [--name N] [--set PATH=VALUE …] [--dry-run]',
  options: {
    recipe: { placeholder: 'NAME|FILE', help: 'one that lathe recipes lists, or a JSON file' },
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
    newName(args);
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
  const { name } = newName(args);
  const names = name === undefined ? {} : { names: [name] };
  const record = await nameOf(model, client);
  const known = await resumed(
    client,
    (job) =>
      job.kind === 'compress' &&
      job.model === record &&
      JSON.stringify(job.recipe) === JSON.stringify(recipe) &&
      (name === undefined || job.name.endsWith(`/${name}`)),
  );
  const start = async (): Promise<string> => {
    const request = { model, recipes: [recipe], ...names };
    const { ids } = await client.compress.start(request, { signal });
    return ids[0];
  };
  const job = await follow(client, known ?? (await start()), signal);
  if (job.kind !== 'compress' || job.result === null) throw endedEarly(job);
  return { record: job.result, passes: job.passes };
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
