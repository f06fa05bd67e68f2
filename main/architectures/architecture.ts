import type { GraphForm } from '../../preload/contract/models.ts';
import type { NamedTensors } from '../formats/namedTensors.ts';
import type { Model } from '../onnx/model.ts';

/** A tensor that a model's weight files must hold. */
export interface RequiredTensor {
  readonly name: string;
  readonly shape: readonly number[];
}

/** What one config.json describes: everything about the model but its weights. */
export interface Architecture {
  /** Family as config.json names it: `llama`, `qwen2`. */
  readonly modelType: string;
  /** Longest context in tokens that the built graphs serve. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  /** Number of weights, tied ones once. */
  readonly parameters: number;
  /** Names and shapes of the tensors that `build` reads. */
  requiredTensors(): readonly RequiredTensor[];
  /**
   * The model as a graph. Tensors are checked first (`tensor_missing`, `tensor_mismatch`), read
   * only when the model is saved. Both forms take and give the same (see `llama/graph.ts`) and
   * agree on the logits within 1e-4.
   */
  build(tensors: NamedTensors, form: GraphForm): Model;
  /** Names of the inner values a capture can ask for: `blocks.3.attn.pattern`. */
  hookPoints(form: GraphForm): readonly string[];
  /** Shape of one layer's keys, and of its values, for one sequence; float32. */
  cacheShape(form: GraphForm, context: number): readonly [1, number, number, number];
  /** How many layers have a cache. */
  readonly layers: number;
}
