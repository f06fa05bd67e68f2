import * as ort from 'onnxruntime-node';
import { encodeModel } from '../../main/onnx/save.ts';
import type { Model } from '../../main/onnx/model.ts';

/** Outputs by name. */
type Outputs = Record<string, ort.Tensor>;

/** Runs a built graph step by step, its cache passed back in, as the graph's conventions say. */
export class GraphRun {
  /** Tokens so far. */
  position = 0;
  private readonly session: ort.InferenceSession;
  private readonly batch: number;
  private cache: Outputs;

  private constructor(session: ort.InferenceSession, batch: number) {
    this.session = session;
    this.batch = batch;
    this.cache = Object.fromEntries(
      session.inputMetadata
        .filter(({ name }) => name.startsWith('past_key_values'))
        .map((input) => {
          const [, heads, , headDim] = input.isTensor ? input.shape : [];
          const dims = [batch, Number(heads), 0, Number(headDim)];
          return [input.name, new ort.Tensor('float32', new Float32Array(0), dims)];
        }),
    );
  }

  static async of(model: Model, batch = 1): Promise<GraphRun> {
    const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 } as const;
    return new GraphRun(await ort.InferenceSession.create(encodeModel(model), options), batch);
  }

  /**
   * Runs these tokens, one row for each of the batch; gives all outputs, logits of the `wanted`
   * positions or of all. `instead` replaces int64 inputs.
   */
  async step(
    rows: readonly (readonly number[])[],
    wanted: readonly number[] = rows[0].map((_, i) => i),
    instead: Record<string, readonly number[]> = {},
  ): Promise<Outputs> {
    const length = rows[0].length;
    const total = this.position + length;
    const feeds: Outputs = {
      input_ids: int64(rows.flat(), [this.batch, length]),
      logits_index: int64(wanted),
      seqlens_k: new ort.Tensor('int32', new Int32Array(this.batch).fill(total - 1), [this.batch]),
      total_sequence_length: new ort.Tensor('int32', Int32Array.of(total), []),
      position_ids: int64(
        rows.flatMap((row) => row.map((_, i) => this.position + i)),
        [this.batch, length],
      ),
      attention_mask: int64(
        Array.from({ length: this.batch * total }, () => 1),
        [this.batch, total],
      ),
      ...this.cache,
    };
    for (const [name, values] of Object.entries(instead)) {
      feeds[name] = int64(values, feeds[name].dims);
    }
    const taken = Object.fromEntries(this.session.inputNames.map((name) => [name, feeds[name]]));
    const wantedNames = this.session.outputNames.filter((name) => name !== 'fetch_guard');
    const outputs = await this.session.run(taken, wantedNames);
    for (const name of Object.keys(this.cache)) {
      this.cache[name] = outputs[name.replace('past_key_values', 'present')];
    }
    this.position = total;
    return outputs;
  }

  async close(): Promise<void> {
    await this.session.release();
  }
}

/** The model with more of its values as outputs. */
export function withOutputs(model: Model, names: readonly string[]): Model {
  const known = new Set(model.graph.outputs.map(({ name }) => name));
  const added = names.filter((name) => !known.has(name));
  const outputs = [
    ...model.graph.outputs,
    ...added.map((name) => ({
      name,
      type: { kind: 'tensor', dataType: 'float32', shape: null } as const,
    })),
  ];
  return { ...model, graph: { ...model.graph, outputs } };
}

/** Numbers of a float32 output. */
export function floatsOf(tensor: ort.Tensor): Float32Array {
  if (!(tensor.data instanceof Float32Array)) throw new TypeError(`not float32: ${tensor.type}`);
  return tensor.data;
}

function int64(values: readonly number[], dims: readonly number[] = [values.length]): ort.Tensor {
  return new ort.Tensor('int64', BigInt64Array.from(values, BigInt), dims);
}
