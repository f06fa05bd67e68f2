import type { Capture, Lens, Prediction } from '../../preload/contract/index.ts';
import { onlyPositional, UsageError, type Arguments } from './arguments.ts';
import { ablated, captureOf, captureOptions, encoded } from './captured.ts';
import type { Command } from './command.ts';
import { print, printJson, table } from './output.ts';
import { promptOf } from './prompt.ts';

/** Positions shown side by side. */
const MOST_COLUMNS = 6;

export const command: Command = {
  summary: 'show what a model would say if it ended behind each layer',
  synopsis: '<model> --prompt T [--top K] [--ablate L.H]',
  options: {
    ...captureOptions,
    top: { placeholder: 'K', help: 'the K most probable tokens, 1 to 20 (default: 5)' },
  },
  usesRunner: true,

  check(args) {
    onlyPositional(args, 'model');
    promptOf(args);
    ablated(args);
    topOf(args);
  },

  async run(context) {
    const { args, json, signal } = context;
    const client = await context.engine();
    const capture = await captureOf(context, client, onlyPositional(args, 'model'));
    const request = { capture: capture.id, top: topOf(args) };
    const lens = await client.inspect.lens(request, { signal });
    const predictions = await client.inspect.predictions(request, { signal });
    if (json) return printJson(documentOf(capture, lens, predictions));
    print(gridText(capture, lens));
    print(`\n${lastText(lens)}`);
  },
};

function topOf(args: Arguments): number {
  const top = args.number('top') ?? 5;
  if (Number.isInteger(top) && top >= 1 && top <= 20) return top;
  throw new UsageError(`--top must be a whole number from 1 to 20: ${top}`);
}

function documentOf(
  { model, tokens, layers, ablated: off, ms }: Capture,
  { rows, positions, top, ids, probabilities, final, norms, texts }: Lens,
  predictions: readonly Prediction[],
) {
  return {
    model,
    tokens,
    layers,
    ablated: off,
    ms,
    lens: {
      rows,
      positions,
      top,
      ids: encoded(ids, [rows, positions, top]),
      probabilities: encoded(probabilities, [rows, positions, top]),
      final: encoded(final, [rows, positions]),
      norms: encoded(norms, [rows, positions]),
      texts,
    },
    predictions,
  };
}

const rowName = (row: number): string => (row === 0 ? 'embedding' : `block ${row - 1}`);
const percent = (p: number): string => `${Math.round(100 * p)} %`;

/** The most probable token behind each layer, at the last positions. */
function gridText({ tokens }: Capture, { rows, positions, top, ids, probabilities, texts }: Lens) {
  const first = Math.max(0, positions - MOST_COLUMNS);
  const shown = Array.from({ length: positions - first }, (_, at) => first + at);
  const cell = (row: number, position: number): string => {
    const at = (row * positions + position) * top;
    return `${JSON.stringify(texts[String(ids[at])] ?? '')} ${percent(probabilities[at])}`;
  };
  const header = ['behind', ...shown.map((at) => JSON.stringify(tokens[at].text))];
  const body = Array.from({ length: rows }, (_, row) => [
    rowName(row),
    ...shown.map((position) => cell(row, position)),
  ]);
  return table(header, body);
}

/** What each layer says behind the last token, and how the model's own choice comes about. */
function lastText({ rows, positions, top, ids, probabilities, final, norms, texts }: Lens) {
  const position = positions - 1;
  const body = Array.from({ length: rows }, (_row, row) => {
    const at = row * positions + position;
    const said = Array.from({ length: top }, (_one, one) => {
      const place = at * top + one;
      return `${JSON.stringify(texts[String(ids[place])] ?? '')} ${percent(probabilities[place])}`;
    });
    return [rowName(row), percent(final[at]), norms[at].toFixed(1), said.join(', ')];
  });
  return table(['behind', 'final token', 'norm', 'most probable behind the last token'], body);
}
