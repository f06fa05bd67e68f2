import { existsSync } from 'node:fs';
import {
  metricNames,
  type EvaluateInput,
  type EvaluationRecord,
  type Metric,
} from '../../preload/contract/evaluation.ts';
import { onlyPositional, typedPath, UsageError, type Arguments } from './arguments.ts';
import type { Command } from './command.ts';
import { modelOf } from './model.ts';
import { note, noteProgress, print, printJson, table } from './output.ts';

export const command: Command = {
  summary: 'measure how good a model is, alone or against another',
  synopsis: '<model> --metrics A,B,… --data NAME|FILE [--against BASE] [--limit N] [--again]',
  options: {
    metrics: { placeholder: 'A,B,…', help: `what to measure: ${metricNames.join(', ')}` },
    data: {
      placeholder: 'NAME|FILE',
      help: 'stories, minimal-pairs, choices, last-words, or a file: .txt, .json, .jsonl, .tsv',
    },
    against: { placeholder: 'BASE', help: 'the model to compare with' },
    field: {
      placeholder: 'NAME=FIELD',
      help: 'what a field is called in the file',
      multiple: true,
    },
    limit: { placeholder: 'N', help: 'only the first so many items' },
    long: {
      placeholder: 'slide|refuse',
      help: 'texts longer than the context: read in windows, or refused (default: slide)',
    },
    seed: { placeholder: 'N', help: 'seed of the intervals (default: 0)' },
    again: { help: 'measure also what was measured before' },
  },
  usesRunner: true,
  check(args) {
    onlyPositional(args, 'model');
    requestOf(args, '', undefined);
  },
  async run({ args, engine, json, signal }) {
    const client = await engine();
    const model = await modelOf(onlyPositional(args, 'model'), client);
    const typed = args.text('against');
    const against = typed === undefined ? undefined : await modelOf(typed, client);
    const request = requestOf(args, model, against);
    for await (const event of await client.evaluate(request, { signal })) {
      if (event.kind === 'progress') {
        noteProgress(event);
        continue;
      }
      const { results, known } = event;
      if (known.length > 0) note(`measured before (--again repeats it): ${known.join(', ')}`);
      if (json) printJson(Object.fromEntries(results.map((one) => [one.metric, resultOf(one)])));
      else print(textOf(results));
    }
  },
};

function requestOf(args: Arguments, model: string, against: string | undefined): EvaluateInput {
  const limit = args.number('limit');
  const seed = args.number('seed');
  return {
    model,
    metrics: metricsOf(args),
    data: dataOf(args),
    fields: Object.fromEntries(args.texts('field').map(fieldOf)),
    long: longOf(args),
    again: args.has('again'),
    ...(against === undefined ? {} : { against }),
    ...(limit === undefined ? {} : { limit }),
    ...(seed === undefined ? {} : { seed }),
  };
}

function metricsOf(args: Arguments): Metric[] {
  const typed = args.text('metrics');
  if (typed === undefined) throw new UsageError('--metrics is missing');
  return typed.split(',').map((name) => {
    const known = metricNames.find((metric) => metric === name.trim());
    if (known !== undefined) return known;
    throw new UsageError(`no metric of this name: ${name}; there are ${metricNames.join(', ')}`);
  });
}

function dataOf(args: Arguments): string {
  const typed = args.text('data');
  if (typed === undefined) throw new UsageError('--data is missing');
  const path = typedPath(typed);
  return existsSync(path) || /[/\\]|\.(txt|jsonl?|tsv)$/.test(typed) ? path : typed;
}

function fieldOf(text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--field must be NAME=FIELD, as in text=story: ${text}`);
  return [text.slice(0, at), text.slice(at + 1)];
}

function longOf(args: Arguments): 'slide' | 'refuse' {
  const typed = args.text('long') ?? 'slide';
  if (typed === 'slide' || typed === 'refuse') return typed;
  throw new UsageError(`--long must be slide or refuse: ${typed}`);
}

function resultOf({ value, ci95, n, protocol, details, against }: EvaluationRecord) {
  return { value, ci95, n, protocol, details, ...(against === null ? {} : { against }) };
}

function textOf(results: readonly EvaluationRecord[]): string {
  const [{ data, model, base }] = results;
  const hasBase = results.some(({ against }) => against !== null);
  const header = ['metric', 'value', '95 %', 'n', ...(hasBase ? ['base', 'difference', 'p'] : [])];
  const rows = results.map(({ metric, value, ci95, n, against }) => [
    metric,
    figure(value),
    ci95 === null ? '' : `${figure(ci95[0])} … ${figure(ci95[1])}`,
    String(n),
    ...(hasBase ? comparisonOf(against) : []),
  ]);
  const protocols = results.map(({ metric, protocol }) => `${metric}: ${protocol}`);
  const subject = base === null ? model : `${model} against ${base}`;
  return [table(header, rows), `${subject} on ${data}`, protocols.join('\n')].join('\n\n');
}

function comparisonOf(against: EvaluationRecord['against']): string[] {
  if (against === null) return ['', '', ''];
  const { value, difference, ci95, pValue } = against;
  const interval = ci95 === null ? '' : ` (${figure(ci95[0])} … ${figure(ci95[1])})`;
  return [
    figure(value),
    `${figure(difference)}${interval}`,
    pValue === null ? '' : pValue.toFixed(3),
  ];
}

const figure = (value: number): string => String(Number(value.toPrecision(5)));
