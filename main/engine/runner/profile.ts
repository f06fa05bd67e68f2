import { createReadStream, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { BenchRequest, OperatorTime } from '../../../preload/contract/bench.ts';
import { LatheError } from '../../../preload/contract/errors.ts';
import { Decoder, piecesOf, type DecoderOptions } from '../../inference/decoder.ts';
import { promptOf } from '../../inference/measure.ts';
import { eventOf, isRun, nodeTimes, type ProfileEvent } from '../../inference/profile.ts';
import { loadModel } from '../../onnx/load.ts';
import { labelOf, nodeLabels, type NodeLabel } from './nodeLabels.ts';

/** The profiler stops at a million events of about a kilobyte. */
const MAX_PROFILE_BYTES = 2 * 2 ** 30;

/** Steps behind the prompt: some to warm up, and those that count. */
const warmSteps = 2;
const countedSteps = 16;

/** What is profiled, and an empty folder for what the profiler writes. */
export interface ProfileRequest {
  /** The graph. */
  readonly file: string;
  readonly shape: Pick<BenchRequest, 'promptTokens' | 'newTokens' | 'batch'>;
  readonly scratch: string;
  readonly signal: AbortSignal;
}

/**
 * Times every operator with the profiler of onnxruntime, in a session of its own: one prefill and
 * some steps to warm up, then one prefill and up to 16 steps that count.
 */
export async function profileModel(
  { file, shape, scratch, signal }: ProfileRequest,
  options: DecoderOptions,
): Promise<OperatorTime[]> {
  const { promptTokens, newTokens, batch } = shape;
  const decoder = await Decoder.open(file, { ...options, profile: join(scratch, 'profile') });
  const steps = Math.min(newTokens, countedSteps);
  const prompt = promptOf(promptTokens, decoder.vocabularySize);
  try {
    const rows = decoder.withRows(batch);
    for (const count of [warmSteps, steps]) {
      rows.rewind(0);
      await rows.prefill(prompt, { signal });
      for (let step = 0; step < count; step++) {
        signal.throwIfAborted();
        await rows.step(prompt[0]);
      }
    }
    decoder.endProfiling();
  } finally {
    await decoder.close();
  }
  const pieces = batch === 1 ? piecesOf(prompt).length : 1;
  const from = pieces + warmSteps;
  const events = await readEvents(scratch);
  const runs = events.filter(isRun).length;
  if (runs !== from + pieces + steps) throw incomplete(file, runs, from + pieces + steps);
  return operatorsOf(labelsOf(file), {
    prefill: nodeTimes(events, from, from + pieces),
    decode: nodeTimes(events, from + pieces, runs),
    steps,
  });
}

/** The events in the one file that the profiler left in a folder. */
async function readEvents(folder: string): Promise<ProfileEvent[]> {
  const [name] = readdirSync(folder);
  const file = join(folder, name);
  const { size } = statSync(file);
  if (size > MAX_PROFILE_BYTES) {
    throw new LatheError('file_too_large', `the profile is larger than its limit: ${size}`, {
      file,
    });
  }
  const events: ProfileEvent[] = [];
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const event = eventOf(line);
    if (event !== null) events.push(event);
  }
  return events;
}

function labelsOf(file: string): Map<string, NodeLabel> {
  const model = loadModel(file);
  try {
    return nodeLabels(model);
  } finally {
    model.close();
  }
}

interface Times {
  readonly prefill: ReturnType<typeof nodeTimes>;
  readonly decode: ReturnType<typeof nodeTimes>;
  readonly steps: number;
}

/** Both phases by node, in the order they ran. */
export function operatorsOf(
  labels: ReadonlyMap<string, NodeLabel>,
  { prefill, decode, steps }: Times,
): OperatorTime[] {
  const stepping = new Map(decode.map((time) => [time.node, time]));
  const reading = new Map(prefill.map((time) => [time.node, time]));
  const all = [...prefill, ...decode.filter(({ node }) => !reading.has(node))];
  return all.map(({ node, operator }) => {
    const { label, block } = labelOf(labels, node);
    const read = reading.get(node);
    const step = stepping.get(node);
    return {
      node: label,
      operator,
      block,
      calls: (read?.calls ?? 0) + (step?.calls ?? 0),
      prefillMs: read?.ms ?? 0,
      decodeMs: (step?.ms ?? 0) / steps,
    };
  });
}

const incomplete = (file: string, found: number, made: number): LatheError =>
  new LatheError(
    'runtime_failed',
    `the profiler recorded other runs than were made: ${found} of ${made}`,
    { file, value: String(found) },
  );
