import { existsSync } from 'node:fs';
import type * as z from 'zod';
import {
  evaluateRequestSchema,
  metricNames,
  type Measurement,
  type Metric,
} from '../../preload/contract/evaluation.ts';
import { refusedBy, typedPath, UsageError, type Arguments, type Options } from './arguments.ts';

/** Data that ship with Lathe. */
const shippedData = ['stories', 'minimal-pairs', 'choices', 'last-words'];

/** What decides how quality is measured, for every command that measures it. */
export const evaluationOptions: Options = {
  metrics: { placeholder: 'A,B,…', help: `what to measure: ${metricNames.join(', ')}` },
  data: {
    placeholder: 'NAME|FILE',
    help: `${shippedData.join(', ')}, or a file: .txt, .json, .jsonl, .tsv`,
  },
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
};

const evaluationSchema = evaluateRequestSchema.omit({ model: true, against: true });
type Evaluation = z.infer<typeof evaluationSchema>;

/** What was typed of `evaluationOptions`. */
export function evaluationOf(args: Arguments): Evaluation {
  const limit = args.number('limit');
  const seed = args.number('seed');
  const typed = {
    metrics: metricsOf(args),
    data: dataOf(args),
    fields: Object.fromEntries(args.texts('field').map(fieldOf)),
    long: longOf(args),
    again: args.has('again'),
    ...(limit === undefined ? {} : { limit }),
    ...(seed === undefined ? {} : { seed }),
  };
  const { data, error } = evaluationSchema.safeParse(typed, { reportInput: true });
  if (data !== undefined) return data;
  throw refusedBy(error, ([field]) => field);
}

/** A measurement as `--json` prints it. */
export const measurementOf = ({
  value,
  ci95,
  n,
  protocol,
  details,
  against,
}: Measurement): object => ({
  value,
  ci95,
  n,
  protocol,
  details,
  ...(against === null ? {} : { against }),
});

/** Five digits that count. */
export const figure = (value: number): string => String(Number(value.toPrecision(5)));

/** The middle 95 %; nothing where there is none. */
export const interval = (ci95: Measurement['ci95']): string =>
  ci95 === null ? '' : `${figure(ci95[0])} … ${figure(ci95[1])}`;

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
  if (typed === undefined || typed === '') throw new UsageError('--data is missing');
  if (shippedData.includes(typed)) return typed;
  const path = typedPath(typed);
  if (existsSync(path)) return path;
  throw new UsageError(
    `--data is no file, and no data set of this name: ${typed}; there are ${shippedData.join(', ')}`,
  );
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
