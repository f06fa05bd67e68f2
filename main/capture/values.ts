import { LatheError } from '../../preload/contract/errors.ts';
import type { NdArray } from '../../preload/contract/inspect/arrays.ts';
import { floatsOf } from '../inference/session.ts';
import type { Capturer } from './capture.ts';
import type { Captured } from './captured.ts';

/** Larger values would take seconds on their way to the window, in bytes. */
const MOST_BYTES = 512 * 2 ** 20;

/**
 * One value of a captured text by its hook name. Most are not kept: the text runs again to give
 * them. Shapes are those of the graph, with a batch of one; heads may be padded to a multiple of 16.
 * `usage` for a name that the model does not have.
 */
export async function valuesOf(
  captured: Captured,
  capturer: Capturer,
  hook: string,
  signal?: AbortSignal,
): Promise<NdArray> {
  const { subject, patterns } = capturer;
  const tokens = captured.ids.length;
  if (!subject.hookPoints.includes(hook)) {
    throw new LatheError('usage', `the model has no such value: ${hook}`, { value: hook });
  }
  const [, layerName, what] = /^blocks\.(\d+)\.attn\.(pattern|scores)$/.exec(hook) ?? [];
  if (layerName === undefined || (what !== 'pattern' && what !== 'scores')) {
    return shown(capturer, captured, hook, signal);
  }
  const layer = Number(layerName);
  const { heads } = captured.layers[layer];
  checkSize(hook, 4 * heads * tokens ** 2);
  const data = new Float32Array(heads * tokens ** 2);
  for (let head = 0; head < heads; head++) {
    data.set(await patterns.square(captured, layer, head, what), head * tokens ** 2);
  }
  return { shape: [1, heads, tokens, tokens], data };
}

/** Pieces of a value, put together along the tokens: the second dimension. */
async function shown(
  capturer: Capturer,
  captured: Captured,
  hook: string,
  signal: AbortSignal | undefined,
): Promise<NdArray> {
  const tokens = captured.ids.length;
  let whole: NdArray | null = null;
  const keys = hook.endsWith('.attn.rot_k');
  await capturer.show(
    captured,
    [hook],
    (_, tensor, first) => {
      const data = floatsOf(tensor);
      const [batch, rows, ...rest] = tensor.dims;
      // Keys come with all those before them, [1, heads, keys, size]: the last piece has all.
      if (keys) {
        whole = { shape: [...tensor.dims], data: data.slice() };
        return;
      }
      const width = data.length / rows;
      checkSize(hook, 4 * width * tokens);
      whole ??= { shape: [batch, tokens, ...rest], data: new Float32Array(width * tokens) };
      whole.data.set(data, first * width);
    },
    signal,
  );
  if (whole === null) throw new RangeError(`nothing was shown of: ${hook}`);
  return whole;
}

function checkSize(hook: string, bytes: number): void {
  if (bytes <= MOST_BYTES) return;
  throw new LatheError(
    'memory_limit',
    `${hook} of this text has ${(bytes / 1e9).toFixed(2)} GB, at most ${(MOST_BYTES / 1e9).toFixed(2)} GB are shown at once`,
    { value: String(bytes), next: ['shorten-prompt'] },
  );
}
