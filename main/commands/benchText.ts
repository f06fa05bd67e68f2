import {
  costPerMillion,
  type BenchRecord,
  type Latency,
  type OperatorTime,
  type SweepPoint,
} from '../../preload/contract/bench.ts';
import { bytes, milliseconds, table } from './output.ts';

/** Operators that are shown; the others come with --json. */
const shownOperators = 20;

/** A measurement of speed as people read it. */
export function benchText(record: BenchRecord, pricePerHour: number | null): string {
  const { contexts, batches, threadCounts, operators } = record;
  return [
    latencies(record),
    sweep('prompt', contexts),
    sweep('rows', batches),
    sweep('threads', threadCounts),
    operators === null ? '' : operatorTable(operators),
    facts(record, pricePerHour),
    record.protocol,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

const orNothing = (ms: number | undefined): string => (ms === undefined ? '' : milliseconds(ms));

const percentiles = ['p50', 'p90', 'p99', 'p999'] as const;

const row = (name: string, latency: Latency): string[] => [
  name,
  String(latency.samples),
  ...percentiles.map((key) => orNothing(latency[key])),
  latency.tokensPerSecond.toFixed(1),
];

function latencies({ prefill, ttft, decode }: BenchRecord): string {
  const header = ['', 'samples', 'P50', 'P90', 'P99', 'P99.9', 'tokens/s'];
  const rows = [row('prefill', prefill), row('first token', ttft), row('decode', decode)];
  return table(header, rows);
}

function sweep(what: string, points: readonly SweepPoint[]): string {
  if (points.length === 0) return '';
  const header = [what, 'first token P50', 'samples', 'P50', 'P90', 'P99', 'P99.9', 'tokens/s'];
  const rows = points.map(({ at, ttft, decode }) => [
    String(at),
    milliseconds(ttft.p50),
    String(decode.samples),
    ...percentiles.map((key) => orNothing(decode[key])),
    decode.tokensPerSecond.toFixed(1),
  ]);
  return table(header, rows);
}

/** The operators that decoding spends most of its time on. */
function operatorTable(operators: readonly OperatorTime[]): string {
  const total = operators.reduce((sum, { decodeMs }) => sum + decodeMs, 0);
  const shown = operators.toSorted((a, b) => b.decodeMs - a.decodeMs).slice(0, shownOperators);
  const rows = shown.map(({ node, operator, block, prefillMs, decodeMs }) => [
    node,
    operator,
    block === null ? '' : String(block),
    prefillMs.toFixed(3),
    decodeMs.toFixed(4),
    `${((100 * decodeMs) / total).toFixed(1)} %`,
  ]);
  const header = ['node', 'operator', 'block', 'prefill ms', 'ms a token', 'share'];
  const rest = operators.length - shown.length;
  return table(header, rows) + (rest > 0 ? `\nand ${rest} more` : '');
}

function facts(record: BenchRecord, pricePerHour: number | null): string {
  const { loads, joulesPerToken, memory, decode, machine, threads, device } = record;
  const peaks = memory.phases.map(({ phase, peakBytes }) => `${phase} ${bytes(peakBytes)}`);
  const rows: [string, string][] = [['load', milliseconds(record.loadMs)]];
  if (loads !== null) {
    const { coldMs, warmMs } = loads;
    rows.push(['load cold', coldMs === null ? 'cannot be measured here' : milliseconds(coldMs)]);
    rows.push(['load warm', milliseconds(warmMs)]);
  }
  rows.push(
    ['largest resident set', `${bytes(record.peakRssBytes)} (${peaks.join(', ')})`],
    ['keys and values', bytes(record.cacheBytes)],
    ['weight files', bytes(record.fileBytes)],
  );
  if (joulesPerToken !== null) rows.push(['joules per token', joulesPerToken.toPrecision(3)]);
  if (pricePerHour !== null) {
    const cost = costPerMillion(decode.tokensPerSecond, pricePerHour);
    rows.push(['a million tokens cost', cost.toPrecision(3)]);
  }
  rows.push(['measured on', `${machine.cpu}, ${threads} threads, ${device}`]);
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
}
