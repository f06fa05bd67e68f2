import type { Step } from '../../preload/contract/recipe.ts';
import { int } from '../onnx/attributes.ts';
import { byteLength, lazyTensor } from '../onnx/tensor.ts';
import { readDecoder } from './decoder.ts';
import { edited, MICROSOFT, nodeOf, type Edit } from './edit.ts';
import { linearEdit, type FloatLinear } from './linear.ts';
import type { Pass, PassInput } from './pass.ts';
import { targetedLinears } from './targets.ts';

/**
 * What the steps behind this one will find, as far as shapes tell. Passes that change names or
 * shapes say so themselves; of those that store layers in another form it is enough to know which.
 */
export function previewOf(pass: Pass, input: PassInput, step: Step): PassInput {
  if (pass.preview !== undefined) return pass.preview(input, step);
  const linears = storedByStep(input, step);
  if (linears.length === 0) return input;
  const bits = 'bits' in step ? step.bits : 8;
  return { ...input, model: edited(input.model, ...linears.map((one) => placeholder(one, bits))) };
}

/** The layers that are not floats any more behind a step, as far as is certain before it runs. */
function storedByStep({ model }: PassInput, step: Step): FloatLinear[] {
  const decoder = (): ReturnType<typeof readDecoder> => readDecoder(model);
  switch (step.pass) {
    case 'quantize-rtn':
    case 'quantize-kquant':
    case 'quantize-gptq':
    case 'quantize-awq':
    case 'quantize-hqq':
    case 'quantize-int8-dynamic':
    case 'quantize-int8-static':
      return targetedLinears(decoder(), step.targets);
    case 'quantize-mixed':
      return step.choices.includes(32) ? [] : targetedLinears(decoder(), step.targets);
    case 'prune-sparsegpt':
      return step.quantize === undefined ? [] : targetedLinears(decoder(), step.targets);
    case 'quantize-embedding': {
      const { head, embedding } = decoder();
      return step.head && embedding.tied && head.weight !== null
        ? [{ ...head, weight: head.weight }]
        : [];
    }
    default:
      return [];
  }
}

/** A layer of the right sizes whose codes are not there to be read. */
function placeholder(linear: FloatLinear, bits: number): Edit {
  const { name, input, output, rows, columns } = linear;
  const codes = lazyTensor(
    `${name}.preview`,
    'uint8',
    [rows, 1, Math.ceil(byteLength('uint8', columns * bits) / 8)],
    () => {
      throw new RangeError(`a preview has no weights: ${name}`);
    },
  );
  const attributes = { K: int(columns), N: int(rows), bits: int(bits) };
  const node = nodeOf('MatMulNBits', [input, codes.name], [output], {
    attributes,
    domain: MICROSOFT,
  });
  return linearEdit(linear, { nodes: [node], initializers: [codes] });
}
