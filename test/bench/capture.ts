/**
 * `npm run bench:capture`: what looking inside costs. A capture of 512 tokens of the synthetic model
 * S beside the same text read by the decoder that writes text, without taps: both are loaded at once
 * and take turns; the ratio is the median over neighbours in time, and must be at most 3. A lens over
 * the same text takes turns with nothing but its matrix products, the output matrix times every row
 * of every stream. Then a
 * model of 24 layers of 16 heads: its sheet of 512 tokens must be there within a second. Last, what
 * 2,048 tokens of 24 layers of 24 heads take in memory.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCapturer, type Capturer } from '../../main/capture/capture.ts';
import type { Captured } from '../../main/capture/captured.ts';
import { headStatistics } from '../../main/capture/headStatistics.ts';
import { logitLens } from '../../main/capture/lens.ts';
import { openReadout } from '../../main/capture/readout.ts';
import { sheetOf } from '../../main/capture/sheet.ts';
import { subjectOf } from '../../main/capture/subject.ts';
import { openPart } from '../../main/engine/calibration/sessions.ts';
import { physicalCores } from '../../main/engine/machine.ts';
import { Decoder } from '../../main/inference/decoder.ts';
import { float32, int64, type Session } from '../../main/inference/session.ts';
import { loadModel } from '../../main/onnx/load.ts';
import type { Model } from '../../main/onnx/model.ts';
import { FINAL_STREAM, headModel } from '../../main/passes/subgraphs.ts';
import { tinyDecoder } from '../passes/tinyDecoder.ts';
import { graphOfS } from './modelS.ts';

const folder = join(import.meta.dirname, '..', '..', '.bench');
const scratch = mkdtempSync(join(tmpdir(), 'lathe-bench-'));
const place = { threads: physicalCores(), device: 'cpu', scratch } as const;
const rounds = 7;
const ids = (count: number, vocabulary: number): number[] =>
  Array.from({ length: count }, (_, at) => 3 + ((at * 7919) % (vocabulary - 3)));

try {
  const ratio = await beside();
  await lens();
  const sheetMs = await sheet();
  await memory();
  const met = ratio <= 3 && sheetMs <= 1000;
  console.log(met ? 'goals met' : 'GOAL MISSED');
  process.exitCode = met ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** A capture beside a plain run of the decoder, on model S. */
async function beside(): Promise<number> {
  const file = graphOfS(folder);
  const decoder = await Decoder.open(file, { ...place, contextLength: 1024 });
  const model = loadModel(file);
  const capturer = await open(model, 1024);
  const text = ids(512, 31_000);
  const plain: number[] = [];
  const captured: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const turns = [
      async () => plain.push(await timed(() => readPlain(decoder, text))),
      async () => captured.push((await capturer.capture(text)).ms.captured),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  await decoder.close();
  await capturer.close();
  model.close();
  // The first round warms up.
  const ratio = median(captured.slice(1).map((ms, round) => ms / plain[round + 1]));
  console.log(
    `model S, ${text.length} tokens: ${median(plain.slice(1)).toFixed(0)} ms plain, ` +
      `${median(captured.slice(1)).toFixed(0)} ms captured, ratio ${ratio.toFixed(2)} (goal ≤ 3)`,
  );
  return ratio;
}

/** A lens over 512 tokens of model S, beside the products that it cannot do without. */
async function lens(): Promise<void> {
  const model = loadModel(graphOfS(folder));
  const capturer = await open(model, 1024);
  const captured = await capturer.capture(ids(512, 31_000));
  const { hiddenSize } = capturer.subject;
  const readout = await openReadout(capturer.subject, (part) => openPart(part, place));
  const head = await openPart(headModel(model), place);
  const [whole, products]: number[][] = [[], []];
  for (let round = 0; round <= rounds; round++) {
    const turns = [
      async () => whole.push(await timed(() => logitLens(captured, readout, 10))),
      async () => products.push(await timed(() => multiply(head.session, captured, hiddenSize))),
    ];
    for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  for (const one of [readout, head, capturer, model]) await one.close();
  const ratio = median(whole.slice(1).map((ms, round) => ms / products[round + 1]));
  console.log(
    `model S, 512 tokens, ${captured.streams.length} streams: lens ${median(whole.slice(1)).toFixed(0)} ms, ` +
      `its products alone ${median(products.slice(1)).toFixed(0)} ms, ratio ${ratio.toFixed(2)}`,
  );
}

/** The output matrix times all rows of all streams, 128 at a time. */
async function multiply(session: Session, { streams }: Captured, hidden: number): Promise<void> {
  const rows = 128;
  const all = int64(
    BigInt64Array.from({ length: rows }, (_, at) => BigInt(at)),
    [rows],
  );
  for (const stream of streams) {
    for (let at = 0; at < stream.length; at += rows * hidden) {
      const part = float32(stream.subarray(at, at + rows * hidden), [1, rows, hidden]);
      await session.run({ [FINAL_STREAM]: part, logits_index: all }, ['logits']);
    }
  }
}

/** Milliseconds from the end of a capture to the thumbnails of all heads, median. */
async function sheet(): Promise<number> {
  const { capturer, captured } = await captureOf(24, 16, 512);
  const { patterns } = capturer;
  const times: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    times.push(await timed(() => sheetOf(captured, patterns, 48)));
  }
  const ms = median(times.slice(1));
  const first = times[0].toFixed(0);
  console.log(
    `24 layers × 16 heads × 512 tokens: sheet ${ms.toFixed(0)} ms (the first ${first} ms; goal ≤ 1000), ` +
      `one head ${(await timed(() => patterns.square(captured, 12, 3))).toFixed(1)} ms, ` +
      `statistics of all heads ${(await timed(() => headStatistics(captured, patterns))).toFixed(0)} ms`,
  );
  await capturer.close();
  return ms;
}

async function memory(): Promise<void> {
  const before = process.resourceUsage().maxRSS * 1024;
  const { capturer, captured } = await captureOf(24, 24, 2048);
  await sheetOf(captured, capturer.patterns, 48);
  const after = process.resourceUsage().maxRSS * 1024;
  console.log(
    `24 layers × 24 heads × 2048 tokens: the capture keeps ${gigabytes(captured.bytes)}, all patterns ` +
      `would be ${gigabytes(4 * 24 * 24 * 2048 ** 2)}; largest resident set ${gigabytes(after)} ` +
      `(${gigabytes(before)} before)`,
  );
  await capturer.close();
}

/** A random model of narrow stream, whose attention is as large as is asked for. */
async function captureOf(layers: number, heads: number, tokens: number) {
  const { model } = tinyDecoder({
    layers,
    heads,
    headDim: 64,
    hiddenSize: 256,
    intermediateSize: 512,
    vocabularySize: 1024,
    contextLength: tokens,
  });
  const capturer = await open(model, tokens);
  return { capturer, captured: await capturer.capture(ids(tokens, 1024)) };
}

function open(model: Model, contextLength: number): Promise<Capturer> {
  return openCapturer(subjectOf(model, contextLength), (part) => openPart(part, place));
}

async function readPlain(decoder: Decoder, text: readonly number[]): Promise<void> {
  decoder.rewind(0);
  await decoder.prefill(text);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}
