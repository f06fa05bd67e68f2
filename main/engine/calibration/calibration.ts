import type { CalibrationOptions } from '../../../preload/contract/recipe.ts';
import type { Model } from '../../onnx/model.ts';
import type { Calibration } from '../../passes/pass.ts';
import type { Tokenizer } from '../../tokenizer/tokenizer.ts';
import { batchesFor, feedsFor } from './batches.ts';
import { matrixOf, startWalk } from './blockWalk.ts';
import { checkSequences, chooseSequences, type Sequences } from './sequences.ts';
import { withSession, type SessionPlace } from './sessions.ts';
import { tapped } from '../../passes/tapped.ts';
import { calibrationText } from './text.ts';
import { openLogitTrial } from './trial.ts';

/** What calibration text is run with. */
export interface CalibrationSetup extends SessionPlace {
  readonly tokenizer: Tokenizer;
  /** The folder of what ships with Lathe. */
  readonly resources: string;
  readonly contextLength: number;
  readonly hiddenSize: number;
  readonly signal: AbortSignal;
}

/** Calibration with the counts that are shown before work begins. */
export interface OpenedCalibration extends Calibration {
  /** Tokens of the whole text; pieces overlap where it is less than `tokens`. */
  readonly available: number;
}

/**
 * Reads and cuts the text; nothing is run yet. Refuses, before any work: no such set or file, a text
 * shorter than one sequence, sequences beyond the context, too many tokens.
 */
export function openCalibration(
  options: CalibrationOptions,
  setup: CalibrationSetup,
): OpenedCalibration {
  const { tokenizer, resources, signal } = setup;
  checkSequences(options, setup);
  const text = calibrationText(options.data, resources);
  const sequences = chooseSequences(tokenizer, text, options);
  const { threads, device, scratch } = setup;
  return {
    ...runCalibration(sequences, { threads, device, scratch }, signal),
    available: sequences.available,
  };
}

/** Runs sequences of tokens through models. */
export function runCalibration(
  sequences: Sequences,
  place: SessionPlace,
  signal: AbortSignal,
): Calibration {
  const { ids, length } = sequences;
  return {
    sequences: ids.length,
    length,
    tokens: ids.length * length,
    async activations(model: Model, values, visit) {
      const cut = tapped(model, values);
      await withSession(cut, place, async (session) => {
        for await (const batch of batchesFor(cut, sequences, ids.length, signal)) {
          const outputs = await session.run(feedsFor(session, batch), values);
          for (const value of values) await visit(value, matrixOf(outputs, value));
        }
      });
    },
    blocks: (model) => startWalk(model, sequences, place, signal),
    divergence: (model, constants) =>
      openLogitTrial(model, constants, place, { signal, sequences }),
  };
}
