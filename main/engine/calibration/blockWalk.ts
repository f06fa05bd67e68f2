import { float32, floatsOf, type Session, type Tensors } from '../../inference/session.ts';
import type { Model } from '../../onnx/model.ts';
import type { BlockWalk, TrialOptions, Visit } from '../../passes/pass.ts';
import { embeddingModel } from '../../passes/subgraphs.ts';
import { batchesFor, feedsFor, type Batch } from './batches.ts';
import type { Sequences } from './sequences.ts';
import { withSession, type SessionPlace } from './sessions.ts';
import { tapped } from '../../passes/tapped.ts';
import { openBlockTrial } from './trial.ts';

/** Runs the text through the embedding, and so stands before block 0. */
export async function startWalk(
  model: Model,
  sequences: Sequences,
  place: SessionPlace,
  signal: AbortSignal,
): Promise<BlockWalk> {
  const { ids, length } = sequences;
  const count = ids.length;
  let width = 0;
  /** [sequences, length, width]. */
  let states = new Float32Array(0);
  let index = 0;
  const shown = (value: string, visit: Visit, data: Float32Array) =>
    visit(value, { rows: data.length / width, columns: width, data });

  await eachBatch(embeddingModel(model), ['embed'], count, (batch, { embed }) => {
    width = Number(embed.dims.at(-1));
    if (states.length === 0) states = new Float32Array(count * length * width);
    states.set(floatsOf(embed), batch.first * length * width);
  });

  /** Runs a part of a graph over the first sequences and gives the named values of each batch. */
  async function eachBatch(
    part: Model,
    values: readonly string[],
    some: number,
    use: (batch: Batch, outputs: Tensors) => Promise<void> | void,
  ): Promise<void> {
    const cut = tapped(part, values);
    await withSession(cut, place, async (session) => {
      for await (const batch of batchesFor(cut, sequences, some, signal)) {
        await use(batch, await session.run(feeds(session, batch), values));
      }
    });
  }

  function feeds(session: Session, batch: Batch): Tensors {
    const { first, rows } = batch;
    const stream = session.inputs.find(({ name }) => /(^|\.)resid_/.test(name));
    const size = length * width;
    return {
      ...feedsFor(session, batch),
      ...(stream && {
        [stream.name]: float32(states.subarray(first * size, (first + rows) * size), [
          rows,
          length,
          width,
        ]),
      }),
    };
  }

  return {
    get index() {
      return index;
    },
    inputs: (part, values, visit) =>
      eachBatch(part, values, count, async (_, outputs) => {
        for (const value of values) await visit(value, matrixOf(outputs, value));
      }),
    async advance(blockModel) {
      const [{ name }] = blockModel.graph.outputs;
      const size = length * width;
      await eachBatch(blockModel, [name], count, ({ first }, outputs) => {
        states.set(floatsOf(outputs[name]), first * size);
      });
      index++;
    },
    async hidden(visit) {
      const size = length * width;
      for (let row = 0; row < count; row++) {
        await shown(
          `blocks.${index}.resid_pre`,
          visit,
          states.subarray(row * size, (row + 1) * size),
        );
      }
    },
    trial: (part, options: TrialOptions) =>
      openBlockTrial(part, options, place, {
        signal,
        sequences,
        capture: (some, use) =>
          eachBatch(part, [options.from], some, (batch, outputs) =>
            use(batch, matrixOf(outputs, options.from)),
          ),
      }),
    close: async () => {
      states = new Float32Array(0);
    },
  };
}

/** A value as rows of its last dimension. */
export function matrixOf(outputs: Tensors, value: string) {
  const tensor = outputs[value];
  const data = floatsOf(tensor);
  const columns = Number(tensor.dims.at(-1));
  return { rows: data.length / columns, columns, data };
}
