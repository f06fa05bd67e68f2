/**
 * `npm run bench:blame`: what one run of the search for layers to blame costs. The synthetic model S and
 * S in 4 bits are loaded as the one graph that runs all mixtures of them. A run of a mixture takes
 * turns with writing the 4-bit model, loading it and running the same, which is the least that a
 * mixture would take as a model of its own; the ratio is the median over neighbours in time.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withSession } from '../../main/engine/calibration/sessions.ts';
import { physicalCores } from '../../main/engine/machine.ts';
import { logitsBehind } from '../../main/evaluation/difference.ts';
import { Decoder } from '../../main/inference/decoder.ts';
import { bool } from '../../main/inference/session.ts';
import { loadModel } from '../../main/onnx/load.ts';
import type { Model } from '../../main/onnx/model.ts';
import { saveModel } from '../../main/onnx/save.ts';
import { readDecoder } from '../../main/passes/decoder.ts';
import { differingUnits } from '../../main/passes/mix.ts';
import { PUT_BACK, switchable } from '../../main/passes/switchable.ts';
import { passContext } from '../passes/passContext.ts';
import { runStep } from '../passes/runDecoder.ts';
import { configS, graphOfS } from './modelS.ts';

const folder = join(import.meta.dirname, '..', '..', '.bench');
const scratch = mkdtempSync(join(tmpdir(), 'lathe-bench-'));
const place = { threads: physicalCores(), device: 'cpu', scratch } as const;
const contextLength = 512;
const rounds = 9;
/** 32 tokens of a prompt, and 8 behind it. */
const ids = Array.from({ length: 40 }, (_, at) => 3 + ((at * 7919) % 31_000));
const read = (decoder: Decoder): Promise<unknown> => logitsBehind(decoder, ids, 32, ids.length - 1);

try {
  const file = await variantOfS();
  const [base, variant] = [loadModel(graphOfS(folder)), loadModel(file)];
  const [from, to] = [readDecoder(base), readDecoder(variant)];
  const units = await differingUnits(from, to);
  const start = performance.now();
  await withSession(switchable(from, to, units), place, async (session) => {
    const loadMs = performance.now() - start;
    const chosen = new Uint8Array(units.length);
    const constant = { [PUT_BACK]: bool(chosen, [units.length]) };
    const decoder = Decoder.over(session, { contextLength, constant });
    const [mixed, alone]: number[][] = [[], []];
    for (let round = 0; round <= rounds; round++) {
      // Half of the units, others each time.
      chosen.forEach((_, at) => (chosen[at] = (at + round) % 2));
      const turns = [
        async () => mixed.push(await timed(() => read(decoder))),
        async () => alone.push(await timed(() => readAlone(variant))),
      ];
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    }
    const ratio = median(alone.slice(1).map((ms, round) => ms / mixed[round + 1]));
    console.log(
      `model S and S in 4 bits as one graph: loaded in ${loadMs.toFixed(0)} ms; a mixture runs ` +
        `${ids.length} tokens in ${median(mixed.slice(1)).toFixed(0)} ms, a model of its own in ` +
        `${median(alone.slice(1)).toFixed(0)} ms, ratio ${ratio.toFixed(2)}; largest resident set ` +
        `${(process.resourceUsage().maxRSS / 1e6).toFixed(2)} GB`,
    );
  });
  for (const model of [base, variant]) model.close();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function readAlone(model: Model): Promise<void> {
  const file = join(scratch, 'alone.onnx');
  saveModel(model, file);
  const decoder = await Decoder.open(file, { ...place, contextLength });
  await read(decoder);
  await decoder.close();
}

/** S rounded to 4 bits, written once. */
async function variantOfS(): Promise<string> {
  const file = join(folder, 'blame-s.onnx');
  if (existsSync(file)) return file;
  const model = loadModel(graphOfS(folder));
  const input = { model, config: configS };
  const step = { pass: 'quantize-rtn' as const, targets: ['**'] };
  saveModel((await runStep(input, step, passContext())).model, file);
  model.close();
  return file;
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
