import { evaluateRequestSchema, type EvaluationRecord } from '../../preload/contract/evaluation.ts';
import { onlyPositional, UsageError, type Arguments } from './arguments.ts';
import type { Command } from './command.ts';
import { evaluationOf, evaluationOptions, figure, interval, measurementOf } from './evaluation.ts';
import { endedEarly, follow, resumed } from './job.ts';
import { modelOf } from './model.ts';
import { print, printJson, table } from './output.ts';
import { recordFormats, writeRecords, type RecordFormat } from './records.ts';

export const command: Command = {
  summary: 'measure how good a model is, alone or against another',
  synopsis: '<model> --metrics A,B,… --data NAME|FILE [--against BASE] [--limit N] [--again]',
  options: {
    ...evaluationOptions,
    against: { placeholder: 'BASE', help: 'the model to compare with' },
    format: { placeholder: recordFormats.join('|'), help: 'print the records in full' },
  },
  usesRunner: true,
  check(args) {
    onlyPositional(args, 'model');
    evaluationOf(args);
    formatOf(args);
  },
  async run({ args, engine, json, signal }) {
    const client = await engine();
    const model = await modelOf(onlyPositional(args, 'model'), client);
    const typed = args.text('against');
    const against = typed === undefined ? {} : { against: await modelOf(typed, client) };
    const request = evaluateRequestSchema.parse({ model, ...against, ...evaluationOf(args) });
    const wanted = JSON.stringify(request);
    const known = await resumed(
      client,
      (job) => job.kind === 'evaluate' && JSON.stringify(job.request) === wanted,
    );
    const start = async (): Promise<string> => {
      const { ids } = await client.evaluations.start({ requests: [request] }, { signal });
      return ids[0];
    };
    const job = await follow(client, known ?? (await start()), signal);
    if (job.kind !== 'evaluate' || job.result === null) throw endedEarly(job);
    const format = formatOf(args);
    if (format !== null) print(writeRecords(job.result, format));
    else if (!json) print(textOf(job.result));
    else printJson(Object.fromEntries(job.result.map((one) => [one.metric, measurementOf(one)])));
  },
};

function formatOf(args: Arguments): RecordFormat | null {
  const typed = args.text('format');
  if (typed === undefined) return null;
  if (args.has('json')) throw new UsageError('--json and --format: one of them only');
  const format = recordFormats.find((known) => known === typed);
  if (format !== undefined) return format;
  throw new UsageError(`--format must be one of ${recordFormats.join(', ')}: ${typed}`);
}

function textOf(results: readonly EvaluationRecord[]): string {
  const [{ data, model, base }] = results;
  const hasBase = results.some(({ against }) => against !== null);
  const header = ['metric', 'value', '95 %', 'n', ...(hasBase ? ['base', 'difference', 'p'] : [])];
  const rows = results.map(({ metric, value, ci95, n, against }) => [
    metric,
    figure(value),
    interval(ci95),
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
  const spread = ci95 === null ? '' : ` (${interval(ci95)})`;
  return [
    figure(value),
    `${figure(difference)}${spread}`,
    pValue === null ? '' : pValue.toFixed(3),
  ];
}
