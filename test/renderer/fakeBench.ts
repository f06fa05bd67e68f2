import type {
  BenchRecord,
  Latency,
  OperatorTime,
  SweepPoint,
} from '../../preload/contract/index.ts';

/** Everything a bench can tell, for what its request asks besides the main loop. */
export function withSweeps(record: BenchRecord): BenchRecord {
  const { request, prefill, decode, ttft } = record;
  const { promptTokens, batch } = request;
  const at = (stop: number, first: number, step: number, rows: number): SweepPoint => ({
    at: stop,
    ttft: scaled(ttft, first, 1),
    decode: scaled(decode, step, rows),
  });
  return {
    ...record,
    contexts: request.contexts.map((context) =>
      at(context, (context + 8) / promptTokens, 0.8 + context / 640, batch),
    ),
    batches: request.batches.map((rows) => at(rows, rows, 0.7 + 0.3 * rows, rows)),
    threadCounts: request.threadCounts.map((threads) => {
      const factor = 0.35 + 1.3 / threads + (threads > 4 ? 0.04 * threads : 0);
      return at(threads, factor, factor, batch);
    }),
    loads: request.load ? { coldMs: record.loadMs * 2.4, warmMs: record.loadMs } : null,
    operators: request.profile ? operatorsOf(prefill.p50, decode.p50) : null,
    memory: memoryOf(record),
  };
}

const scaled = (latency: Latency, factor: number, rows: number): Latency => ({
  ...latency,
  p50: latency.p50 * factor,
  ...(latency.p90 !== undefined && { p90: latency.p90 * factor * 1.04 }),
  tokensPerSecond: (latency.tokensPerSecond * rows) / factor,
});

const blocks = 5;
const inBlock: readonly (readonly [node: string, operator: string, share: number])[] = [
  ['attn.qkv', 'MatMulNBits', 0.02],
  ['attn', 'GroupQueryAttention', 0.045],
  ['attn.o', 'MatMulNBits', 0.016],
  ['ln2', 'SkipSimplifiedLayerNormalization', 0.006],
  ['mlp.gate_up', 'MatMulNBits', 0.038],
  ['mlp.act', 'QuickGelu', 0.006],
  ['mlp.mul', 'Mul', 0.004],
  ['mlp.down', 'MatMulNBits', 0.024],
];

function operatorsOf(prefillMs: number, stepMs: number): OperatorTime[] {
  const time = (node: string, operator: string, block: number | null, share: number) => ({
    node,
    operator,
    block,
    calls: 33,
    prefillMs: prefillMs * share * (operator === 'GroupQueryAttention' ? 1.8 : 0.9),
    decodeMs: stepMs * share,
  });
  return [
    time('embed', 'Gather', null, 0.004),
    ...Array.from({ length: blocks }, (_, block) =>
      inBlock.map(([node, operator, share]) =>
        time(`blocks.${block}.${node}`, operator, block, share * (1 + 0.03 * block)),
      ),
    ).flat(),
    time('ln_final', 'SimplifiedLayerNormalization', null, 0.005),
    time('lm_head', 'MatMul', null, 0.14),
  ];
}

/** A trace of ten points a second over phases as long as they take. */
function memoryOf({ peakRssBytes, request, memory }: BenchRecord): BenchRecord['memory'] {
  const sweeps = request.contexts.length + request.batches.length + request.threadCounts.length;
  const phases: BenchRecord['memory']['phases'] = [
    { phase: 'load', startMs: 0, peakBytes: peakRssBytes * 0.8 },
    { phase: 'prefill', startMs: 400, peakBytes: peakRssBytes },
    { phase: 'decode', startMs: 900, peakBytes: peakRssBytes * 0.97 },
  ];
  if (sweeps > 0) phases.push({ phase: 'sweeps', startMs: 2600, peakBytes: peakRssBytes });
  const end = 2600 + sweeps * 400;
  if (request.profile) phases.push({ phase: 'profile', startMs: end, peakBytes: peakRssBytes });
  const ms = Array.from({ length: (end + 600) / 50 }, (_, index) => index * 50);
  const bytes = ms.map((time) => {
    const share = Math.min(1, 0.3 + time / 900) - (time > 900 ? 0.03 : 0);
    return Math.round(peakRssBytes * (share - 0.015 * Math.abs(Math.sin(time))));
  });
  return { ...memory, phases, ms, bytes };
}
