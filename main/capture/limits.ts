import { LatheError } from '../../preload/contract/errors.ts';
import { checkTokens } from '../inference/vocabulary.ts';
import type { Head } from '../../preload/contract/inspect/capture.ts';
import type { Captured } from './captured.ts';
import { tapWidths, type Subject } from './subject.ts';

/**
 * What one capture may keep. Queries, keys, values, MLP outputs and the stream of 2,048 tokens in 24
 * layers of 24 heads of 64 take 1.6 GB; their patterns would take 9.7 GB and are not kept.
 */
export const MOST_CAPTURE_BYTES = 2 * 2 ** 30;

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** What a capture of so many tokens keeps, in bytes. */
export function captureBytes(subject: Subject, tokens: number): number {
  const { signature, sites } = subject;
  const tapped = sum([...tapWidths(subject).values()]);
  const cached = sum(signature.cache.map(({ kvHeads, headDim }) => kvHeads * headDim));
  const scores = sum(sites.map(({ parts, heads }) => (parts === null ? heads : 0)));
  return 4 * tokens * (tapped + cached + scores * tokens);
}

/** Refuses what cannot be captured, before anything runs. */
export function checkCapture(
  subject: Subject,
  ids: readonly number[],
  ablate: readonly Head[],
  mostBytes: number,
): void {
  checkText(subject, ids);
  for (const head of ablate) checkHead(subject, head);
  const bytes = captureBytes(subject, ids.length);
  if (bytes <= mostBytes) return;
  throw new LatheError(
    'memory_limit',
    `a capture of ${ids.length} tokens would keep ${gigabytes(bytes)}, it may keep ${gigabytes(mostBytes)}`,
    { value: String(bytes), next: ['shorten-prompt'] },
  );
}

const gigabytes = (bytes: number): string => `${(Math.max(0, bytes) / 1e9).toFixed(2)} GB`;

function checkText(subject: Subject, ids: readonly number[]): void {
  const { contextLength } = subject;
  if (ids.length === 0) throw new LatheError('usage', 'there is nothing to read: 0 tokens');
  if (ids.length > contextLength) {
    throw new LatheError(
      'context_overflow',
      `the text is longer than the context: ${ids.length} tokens, the model reads ${contextLength}`,
      { value: String(ids.length), next: ['shorten-prompt'] },
    );
  }
  checkTokens(ids, subject.vocabularySize);
}

/** Refuses a token that a vocabulary does not have. */
export function checkToken(
  { vocabularySize }: Pick<Subject, 'vocabularySize'>,
  token: number,
): void {
  if (Number.isInteger(token) && token >= 0 && token < vocabularySize) return;
  throw new LatheError(
    'usage',
    `there is no such token, the vocabulary has ${vocabularySize}: ${token}`,
    { value: String(token) },
  );
}

/** Refuses a place that a text does not have. */
export function checkPosition({ ids }: Pick<Captured, 'ids'>, position: number): void {
  if (position < ids.length) return;
  throw new LatheError(
    'usage',
    `the text has ${ids.length} tokens, there is no position: ${position}`,
    { value: String(position) },
  );
}

/** Refuses a head that a model does not have. */
export function checkHead({ sites }: Pick<Subject, 'sites'>, { layer, head }: Head): void {
  const site = sites[layer];
  if (site !== undefined && head < site.heads) return;
  const known =
    site === undefined ? `${sites.length} layers` : `${site.heads} heads in layer ${layer}`;
  throw new LatheError(
    'usage',
    `there is no such head: layer ${layer}, head ${head}; the model has ${known}`,
    { value: `${layer}.${head}` },
  );
}
