import type { EngineClient } from '../../preload/contract/index.ts';
import type {
  GraphFacts,
  MemoryEstimate,
  ModelFacts,
  TensorFacts,
} from '../../preload/contract/models.ts';
import { onlyPositional, UsageError, type Arguments } from './arguments.ts';
import type { Command, Context } from './command.ts';
import { modelOf } from './model.ts';
import { bytes, count, print, printJson, table } from './output.ts';

export const command: Command = {
  summary: 'say what is known about a model',
  synopsis: '<model> [--tensors] [--graph] [--memory --context N]',
  options: {
    tensors: { help: 'the tensor table' },
    graph: { help: 'the graph that is built from it, in numbers' },
    memory: { help: 'the memory it takes to run' },
    context: { placeholder: 'N', help: 'tokens of context to count with (default: the longest)' },
    form: { placeholder: 'fused|plain', help: 'which graph (default: fused)' },
  },
  usesRunner: true,
  check(args) {
    onlyPositional(args, 'model');
    contextOf(args);
    formOf(args);
  },
  async run(context) {
    const client = await context.engine();
    const model = await modelOf(onlyPositional(context.args, 'model'), client);
    const found = await gather(client, model, context);
    if (context.json) return printJson(found);
    const { record, tensors, graph } = found;
    print(factsText(record, found));
    if (context.args.has('memory')) print(`\n${memoryText(found.memory)}`);
    if (tensors) print(`\n${tensorsText(tensors)}`);
    if (graph) print(`\n${graphText(graph)}`);
  },
};

type Found = ModelFacts & { tensors?: TensorFacts[]; graph?: GraphFacts };

async function gather(
  client: EngineClient,
  model: string,
  { args, signal }: Context,
): Promise<Found> {
  const context = contextOf(args);
  const facts = await client.models.facts(
    { model, ...(context === undefined ? {} : { context }) },
    { signal },
  );
  return {
    ...facts,
    ...(args.has('tensors') && { tensors: await client.models.tensors({ model }, { signal }) }),
    ...(args.has('graph') && {
      graph: await client.models.graph({ model, form: formOf(args) }, { signal }),
    }),
  };
}

function contextOf(args: Arguments): number | undefined {
  const context = args.number('context');
  if (context === undefined || (Number.isInteger(context) && context > 0)) return context;
  throw new UsageError(`--context must be a positive whole number: ${context}`);
}

export function formOf(args: Arguments): 'fused' | 'plain' {
  const form = args.text('form') ?? 'fused';
  if (form === 'fused' || form === 'plain') return form;
  throw new UsageError(`--form must be fused or plain: ${form}`);
}

function factsText(record: ModelFacts['record'], { files, chatTemplate }: ModelFacts): string {
  const rows: [string, string][] = [
    ['name', record.name],
    ['architecture', record.architecture],
    ['parameters', `${count(record.parameters)} (${record.parameters})`],
    ['size', bytes(record.bytes)],
    ['precision', record.precision],
    ['context', `${record.contextLength} tokens`],
    ['vocabulary', `${record.vocabularySize} tokens`],
    ['chat template', chatTemplate === null ? 'no' : 'yes'],
    ['licence', record.licence ?? 'not stated'],
    ['source', record.source],
    ['folder', record.folder],
    ['sha256', record.sha256],
  ];
  const facts = rows.map(([name, value]) => `${name.padEnd(14)}${value}`).join('\n');
  const listed = files.map((file) => [file.name, bytes(file.bytes), file.sha256]);
  return `${facts}\n\n${table(['file', 'size', 'sha256'], listed)}`;
}

function memoryText(memory: MemoryEstimate): string {
  return table(
    ['memory', 'size'],
    [
      ['weights', bytes(memory.weights)],
      [`cache of ${memory.context} tokens`, bytes(memory.cache)],
      ['activations', bytes(memory.activations)],
      ['total', bytes(memory.total)],
      ['a runner may use', bytes(memory.available)],
    ],
  );
}

function tensorsText(tensors: readonly TensorFacts[]): string {
  const rows = tensors.map((tensor) => [
    tensor.name,
    tensor.dataType,
    tensor.shape.join(' × '),
    bytes(tensor.bytes),
    tensor.file,
  ]);
  return table(['tensor', 'type', 'shape', 'size', 'file'], rows);
}

function graphText(graph: GraphFacts): string {
  const opsets = Object.entries(graph.opsets).map(([domain, version]) => `${domain} ${version}`);
  const operators = Object.entries(graph.operators)
    .toSorted(([, a], [, b]) => b - a)
    .map(([name, times]) => [name, String(times)]);
  const ports = graph.inputs
    .map((port) => ({ ...port, kind: 'input' }))
    .concat(graph.outputs.map((port) => ({ ...port, kind: 'output' })));
  return [
    `${graph.form} graph of ${graph.nodes} nodes, opsets ${opsets.join(', ')}`,
    table(['operator', 'nodes'], operators),
    table(
      ['', 'name', 'type', 'shape'],
      ports.map((port) => [port.kind, port.name, port.dataType, port.shape.join(' × ')]),
    ),
    `hook points: ${graph.hookPoints.join(' ')}`,
  ].join('\n\n');
}
