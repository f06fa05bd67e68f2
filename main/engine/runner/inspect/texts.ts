import { LatheError } from '../../../../preload/contract/errors.ts';
import type { Neighbours, TokenText } from '../../../../preload/contract/inspect/index.ts';
import type { Progress, Token } from '../../../../preload/contract/models.ts';
import { checkToken } from '../../../capture/limits.ts';
import { textLosses } from '../../../evaluation/losses.ts';
import { matrix } from '../../../numeric/linearAlgebra/matrix.ts';
import { nearestRows } from '../../../numeric/matrices/nearestRows.ts';
import { readDecoder } from '../../../passes/decoder.ts';
import { GraphIndex } from '../../../passes/graphIndex.ts';
import { embeddingTable } from '../../../passes/linearMap.ts';
import { describeText } from '../../../tokenizer/describeText.ts';
import type { Tokenizer } from '../../../tokenizer/tokenizer.ts';
import { progressOf } from '../../progress.ts';
import { graphOf } from '../graph.ts';
import { openLoaded, type LoadedModel } from '../loaded.ts';
import { inputFor, openInput } from '../passInput.ts';
import { readTokenizer } from '../tokenizer.ts';
import type { LossRequest, Lost, NearRequest } from './compareContract.ts';
import { tokensOf } from './tokens.ts';

/** A token by itself. */
export function tokenAlone(tokenizer: Tokenizer, id: number): Token {
  const { text, bytes } = tokenizer.token(id);
  return { id, text, bytes: [...bytes] };
}

/** How the tokenizer of a folder cuts a text. */
export async function tokenFacts({
  folder,
  text,
}: {
  folder: string;
  text: string;
}): Promise<Omit<TokenText, 'model'>> {
  const tokenizer = await readTokenizer(folder);
  return { ...describeText(tokenizer, text), vocabularySize: tokenizer.vocabularySize };
}

/** What the loaded model lost on a text, and a base that is loaded beside it for as long as needed. */
export async function* lossesOf(
  model: LoadedModel,
  { base, text, window, stride }: LossRequest,
  signal: AbortSignal,
): AsyncGenerator<Progress | Lost> {
  if (base !== null) yield { kind: 'progress', stage: 'loading the base' };
  const other = base && (await openLoaded(base, await graphOf(base)));
  try {
    const losses = yield* progressOf((report) =>
      textLosses(model, other, text, {
        window,
        stride,
        signal,
        onProgress: (fraction) => report('reading the text', fraction),
      }),
    );
    const { ids, ...rest } = losses;
    yield { kind: 'done', tokens: tokensOf(model.tokenizer, ids), ...rest };
  } finally {
    await other?.decoder.close();
  }
}

/** The tokens whose embeddings point the same way. */
export async function neighboursOf(
  { folder, token, count }: NearRequest,
  signal?: AbortSignal,
): Promise<Neighbours> {
  const tokenizer = await readTokenizer(folder);
  const id = typeof token === 'number' ? token : firstToken(tokenizer, token);
  const opened = openInput(folder);
  try {
    const { model } = await inputFor(opened, []);
    const { dims, read } = embeddingTable(new GraphIndex(model), readDecoder(model));
    // Rows behind the last token stand for nothing.
    const rows = Math.min(dims[0], tokenizer.vocabularySize);
    checkToken({ vocabularySize: rows }, id);
    const table = matrix(rows, dims[1], read().subarray(0, rows * dims[1]));
    const nearest = await nearestRows(table, id, count, signal);
    return {
      token: tokenAlone(tokenizer, id),
      neighbours: nearest.map(({ row, cosine }) => ({ ...tokenAlone(tokenizer, row), cosine })),
    };
  } finally {
    opened.close();
  }
}

function firstToken(tokenizer: Tokenizer, text: string): number {
  const [id] = tokenizer.encode(text, { specials: false });
  if (id !== undefined) return id;
  throw new LatheError('usage', `the tokenizer makes nothing of this text: ${text}`, {
    value: text,
  });
}
