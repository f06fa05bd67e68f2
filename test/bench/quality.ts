import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { architectureOf } from '../../main/architectures/index.ts';
import { openCalibration } from '../../main/engine/calibration/calibration.ts';
import { openMultiply } from '../../main/engine/calibration/multiply.ts';
import { readTokenizer } from '../../main/engine/runner/tokenizer.ts';
import { bitsPerByte, scoreText, type TextScore } from '../../main/evaluation/perplexity.ts';
import { bootstrapInterval } from '../../main/evaluation/statistics.ts';
import { openWeights } from '../../main/formats/weights.ts';
import { Decoder } from '../../main/inference/decoder.ts';
import { resourcesPath } from '../../main/library/resources.ts';
import { saveModel } from '../../main/onnx/save.ts';
import { weightBytes } from '../../main/passes/edit.ts';
import { runRecipe } from '../../main/passes/sequence.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import { recipeSchema, type LayerReport } from '../../preload/contract/recipe.ts';
import type { BenchRow } from './pruneRows.ts';

/** What a row gave on held-out stories. */
export interface QualityRow {
  readonly label: string;
  readonly bitsPerByte: number;
  /** 95 %, over stories. */
  readonly interval: { readonly low: number; readonly high: number };
  /** Change against the first row in percent, and its interval over the same stories. */
  readonly change: number;
  readonly changeInterval: { readonly low: number; readonly high: number };
  readonly megabytes: number;
  readonly seconds: number;
  readonly layers: readonly LayerReport[];
}

const options = { threads: 2, device: 'cpu' } as const;

/** Runs every row on a model and scores what comes out; the first row is what others are held to. */
export async function measureQuality(
  folder: string,
  rows: readonly BenchRow[],
  stories: readonly string[],
  scratchRoot: string,
  onRow: (row: QualityRow) => void,
  onRefused: (label: string, message: string) => void,
): Promise<QualityRow[]> {
  const file = join(folder, 'config.json');
  const config: Record<string, unknown> = JSON.parse(readFileSync(file, 'utf8'));
  const weights = openWeights(folder);
  const architecture = architectureOf(config, file);
  const input = { model: architecture.build(weights, 'fused'), config };
  const tokenizer = await readTokenizer(folder);
  const multiply = await openMultiply(options);
  mkdirSync(scratchRoot, { recursive: true });
  const scratch = mkdtempSync(join(scratchRoot, 'quality-'));
  const { signal } = new AbortController();
  const setup = { ...options, scratch, tokenizer, signal, resources: resourcesPath() };
  const results: QualityRow[] = [];
  let base: TextScore[] = [];
  try {
    for (const { label, passes } of rows) {
      const started = performance.now();
      let state = input;
      const layers: LayerReport[] = [];
      if (passes.length > 0) {
        const recipe = recipeSchema.parse({ name: label, passes });
        const calibration = openCalibration(recipe.calibration, {
          ...setup,
          contextLength: architecture.contextLength,
          hiddenSize: Number(config['hidden_size']),
        });
        try {
          state = await runRecipe(state, recipe, {
            signal,
            multiply,
            seed: 0,
            progress: () => {},
            calibration: () => Promise.resolve(calibration),
            layer: (_, report) => layers.push(report),
          });
        } catch (error) {
          // A recipe that does not fit this model is no failure of the bench.
          if (!(error instanceof LatheError) || error.code !== 'usage') throw error;
          onRefused(label, error.message);
          continue;
        }
      }
      const seconds = (performance.now() - started) / 1000;
      const scores = await score();
      if (results.length === 0) base = scores;
      const pairs = scores.map((one, i) => ({ one, was: base[i] }));
      const change = (some: readonly (typeof pairs)[number][]): number =>
        100 *
        (bitsPerByte(some.map(({ one }) => one)) / bitsPerByte(some.map(({ was }) => was)) - 1);
      const row: QualityRow = {
        label,
        bitsPerByte: bitsPerByte(scores),
        interval: bootstrapInterval(scores, bitsPerByte),
        change: change(pairs),
        changeInterval: bootstrapInterval(pairs, change),
        megabytes: weightBytes(state.model) / 2 ** 20,
        seconds,
        layers,
      };
      results.push(row);
      onRow(row);

      async function score(): Promise<TextScore[]> {
        const graph = join(scratch, 'model.onnx');
        saveModel(state.model, graph);
        const { contextLength } = architecture;
        const decoder = await Decoder.open(graph, { ...options, contextLength });
        const window = Math.min(512, contextLength);
        const found: TextScore[] = [];
        for (const story of stories) {
          found.push(await scoreText(decoder, tokenizer, story, { window, stride: window / 2 }));
        }
        await decoder.close();
        return found;
      }
    }
  } finally {
    await multiply.close();
    weights.close();
    rmSync(scratch, { recursive: true });
  }
  return results;
}

/** Stories that no model here was trained or calibrated on; else the calibration text. */
export function heldOutStories(count: number): { stories: string[]; from: string } {
  const shared = join(import.meta.dirname, '../../../shared/data/text/tinystories/stories.json');
  if (existsSync(shared)) {
    const all: string[] = JSON.parse(readFileSync(shared, 'utf8'));
    const stories = all.slice(0, count).map((story) => story.slice(0, 900));
    return { stories, from: 'TinyStories' };
  }
  const text = readFileSync(join(resourcesPath(), 'calibration', 'stories.txt'), 'utf8');
  return { stories: text.match(/[^]{1,900}/g)?.slice(0, count) ?? [], from: 'calibration text' };
}
