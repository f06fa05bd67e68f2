import { LatheError } from '../../preload/contract/errors.ts';
import type { StepOf } from '../../preload/contract/recipe.ts';
import type { Run } from '../numeric/linearAlgebra/multiply.ts';
import type { Model } from '../onnx/model.ts';
import { readDecoder, type Block } from './decoder.ts';
import { isFloatLinear, type FloatLinear, type Linear } from './linear.ts';
import type { PassInput } from './pass.ts';

/** The passes that cut units out of blocks. */
export type UnitStep = StepOf<'prune-heads'> | StepOf<'prune-neurons'>;

/** The matrix of a block that a unit has rows in, and the one it has columns in. */
export interface UnitLayers {
  readonly into: FloatLinear;
  readonly outOf: FloatLinear;
}

/** What kind of unit is cut: what the two passes differ in. */
export interface UnitKind<Step extends UnitStep = UnitStep> {
  readonly plural: string;
  /** Units of a block that can go one by one. */
  count(block: Block): number;
  /** How many of a block's units to keep where `asked` are to stay. */
  rounded(block: Block, asked: number, step: Step): number;
  layers(block: Block): { readonly into: Linear; readonly outOf: Linear };
  /** From weights alone; comparable within one block. */
  magnitudes(block: Block, layers: UnitLayers): Float64Array;
  /**
   * Mean ‖what a unit adds to the stream‖² over calibration tokens, from the Hessian of what goes
   * into the matrix that units have columns in.
   */
  energies(
    block: Block,
    layers: UnitLayers,
    hessian: Float64Array,
    run: Run,
  ): Promise<Float64Array> | Float64Array;
  /** The model without the other units of this block; shapes shrink. */
  cut(model: Model, block: Block, kept: readonly number[]): Model;
}

/** The blocks that units may be cut from: inside the range asked for, and still floats. */
export function eligibleBlocks<Step extends UnitStep>(
  kind: UnitKind<Step>,
  model: Model,
  step: Step,
): Block[] {
  return blocksInside(model, step).filter((block) => {
    const { into, outOf } = kind.layers(block);
    return isFloatLinear(into) && isFloatLinear(outOf);
  });
}

/** The blocks inside the range asked for. */
export function blocksInside(model: Model, { keepFirst, keepLast }: UnitStep): Block[] {
  const { blocks } = readDecoder(model);
  return blocks.filter(({ index }) => index >= keepFirst && index < blocks.length - keepLast);
}

/** The two matrices of a block that was found eligible. */
export function floatLayers<Step extends UnitStep>(kind: UnitKind<Step>, block: Block): UnitLayers {
  const { into, outOf } = kind.layers(block);
  if (isFloatLinear(into) && isFloatLinear(outOf)) return { into, outOf };
  throw new LatheError('internal', `no float weights: ${outOf.name}`);
}

/** ⌊count · ratio⌋, whatever the ratio's last bit is: never more are cut than the share asked for. */
export const cutOf = (count: number, ratio: number): number => Math.floor(count * ratio + 1e-9);

/** How many units of a block stay where every block loses the same share. */
export function shareKept<Step extends UnitStep>(
  kind: UnitKind<Step>,
  block: Block,
  step: Step,
): number {
  const count = kind.count(block);
  return kind.rounded(block, count - cutOf(count, step.ratio), step);
}

/** Refuses a step that cuts nothing, or everything, or what is stored in another form. */
export function checkUnits<Step extends UnitStep>(
  kind: UnitKind<Step>,
  { model }: PassInput,
  step: Step,
): void {
  const { keepFirst, keepLast, ratio, spread } = step;
  const { plural } = kind;
  if (blocksInside(model, step).length === 0) {
    throw new LatheError(
      'usage',
      `no block is left to cut ${plural} from: the first ${keepFirst} and the last ${keepLast} stay`,
      { value: String(keepFirst + keepLast) },
    );
  }
  const blocks = eligibleBlocks(kind, model, step);
  if (blocks.length === 0) {
    throw new LatheError(
      'usage',
      `cut ${plural} before quantizing or factoring: no block of this model has float weights`,
    );
  }
  if (ratio >= 1) {
    throw new LatheError('usage', `some ${plural} must stay, so the ratio is below 1: ${ratio}`, {
      value: String(ratio),
    });
  }
  const total = blocks.reduce((sum, block) => sum + kind.count(block), 0);
  const anyGoes =
    spread === 'global'
      ? cutOf(total, ratio) > 0
      : blocks.some((block) => shareKept(kind, block, step) < kind.count(block));
  if (anyGoes) return;
  const most = Math.max(...blocks.map((block) => kind.count(block)));
  throw new LatheError(
    'usage',
    `a block has ${most} ${plural} that can go one by one, none is cut at the ratio: ${ratio}`,
    { value: String(ratio) },
  );
}
