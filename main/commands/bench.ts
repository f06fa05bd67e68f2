import type { BenchInput, BenchResult, Latency } from '../../preload/contract/bench.ts';
import { onlyPositional, type Arguments } from './arguments.ts';
import type { Command } from './command.ts';
import { modelOf } from './model.ts';
import { bytes, milliseconds, noteProgress, print, printJson, table } from './output.ts';
import { formOf } from './show.ts';

export const command: Command = {
  summary: 'measure how fast a model is on this machine',
  synopsis: '<model> [--prompt-tokens N] [--new-tokens N] [--batch N] [--runs N]',
  options: {
    'prompt-tokens': { placeholder: 'N', help: 'tokens to read (default: 128)' },
    'new-tokens': { placeholder: 'N', help: 'tokens to generate (default: 64)' },
    batch: { placeholder: 'N', help: 'equal rows at once (default: 1)' },
    runs: { placeholder: 'N', help: 'runs that count, after one to warm up (default: 5)' },
    form: { placeholder: 'fused|plain', help: 'which graph to run (default: fused)' },
  },
  usesRunner: true,
  check(args) {
    onlyPositional(args, 'model');
    requestOf(args, '');
  },
  async run({ args, engine, json, signal }) {
    const client = await engine();
    const model = await modelOf(onlyPositional(args, 'model'), client);
    for await (const event of await client.bench(requestOf(args, model), { signal })) {
      if (event.kind === 'progress') noteProgress(event);
      else if (json) printJson(resultOf(event));
      else print(textOf(event));
    }
  },
};

function requestOf(args: Arguments, model: string): BenchInput {
  const fields = {
    promptTokens: args.number('prompt-tokens'),
    newTokens: args.number('new-tokens'),
    batch: args.number('batch'),
    runs: args.number('runs'),
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return { model, form: formOf(args), ...Object.fromEntries(given) };
}

function resultOf({ prefill, decode, peakRssBytes, loadMs, ttftMs, ...rest }: BenchResult) {
  const { threads, device, protocol } = rest;
  return { prefill, decode, peakRssBytes, loadMs, ttftMs, threads, device, protocol };
}

function textOf(result: BenchResult): string {
  const percentiles = ['p50', 'p90', 'p99', 'p999'] as const;
  const row = (name: string, latency: Latency): string[] => [
    name,
    String(latency.samples),
    ...percentiles.map((key) => {
      const value = latency[key];
      return value === undefined ? '' : milliseconds(value);
    }),
    latency.tokensPerSecond.toFixed(1),
  ];
  const header = ['', 'samples', 'P50', 'P90', 'P99', 'P99.9', 'tokens/s'];
  return [
    table(header, [row('prefill', result.prefill), row('decode', result.decode)]),
    `first token after ${milliseconds(result.ttftMs)}, loaded in ${milliseconds(result.loadMs)}, ` +
      `at most ${bytes(result.peakRssBytes)} resident, ${result.threads} threads, ${result.device}`,
    result.protocol,
  ].join('\n\n');
}
