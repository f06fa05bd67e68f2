import type { TensorToWrite } from '../formats/writeSafetensors.ts';
import type { Model } from '../onnx/model.ts';

/** A file of an export that is computed; all others are copied from the model's folder. */
export type ExportFile =
  | { readonly kind: 'json'; readonly path: string; readonly content: Json }
  /** Constants over 1 MB go into `<path>` + `ending`. */
  | {
      readonly kind: 'graph';
      readonly path: string;
      readonly ending: string;
      readonly model: Model;
    }
  | {
      readonly kind: 'tensors';
      readonly path: string;
      readonly tensors: readonly TensorToWrite[];
      /** Refuses what reading the tensors has shown. */
      readonly check: () => void;
    };

export type Json = Readonly<Record<string, unknown>>;

/** What an export is made of. */
export interface ExportInput {
  /** In the fused form. */
  readonly model: Model;
  /** config.json. */
  readonly config: Json;
  /** generation_config.json, where there is one. */
  readonly generation: Json | null;
  /** tokenizer_config.json, where there is one. */
  readonly tokenizer: Json | null;
  readonly chatTemplate: string | null;
  /** Passes of the recipe that made the model, in their order; none where no recipe did. */
  readonly passes: readonly string[];
}

/** Largest constant that stays in a graph's own file: as `saveModel` has it. */
const inlineBytes = 2 ** 20;

/** Whether `saveModel` puts constants beside the graph. */
export const hasExternalData = ({ graph }: Model): boolean =>
  [...graph.initializers.values()].some(({ bytes }) => bytes.length > inlineBytes);
