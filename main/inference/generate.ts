import type {
  FinishReason,
  GenerateEvent,
  GenerateRequest,
  Timing,
} from '../../preload/contract/generation.ts';
import type { Progress } from '../../preload/contract/models.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import type { Tokenizer } from '../tokenizer/tokenizer.ts';
import { piecesOf, type Decoder } from './decoder.ts';
import { encodePrompt } from './prompt.ts';
import { createSampler } from './sampling/sampler.ts';
import { createStopScanner } from './stopping.ts';

interface GenerateOptions {
  /** Looked at before every piece of the prompt and every token. */
  readonly signal?: AbortSignal | undefined;
  /** What the start event says it took to load the model. */
  readonly loadMs?: number;
  /** What the start event calls the run. */
  readonly runId?: string | null;
}

/**
 * Continues a prompt (and `prefix` behind it): a start event, progress while a long prompt is read,
 * one event per token, a finish event. What the decoder has in its cache of the same text is kept. An
 * aborted signal ends it with the reason `cancelled` before the next token. The texts of the
 * tokens, joined, are the beginning of the text of the finish event: that may have a few more
 * characters which waited for their completion or might have become a stop string.
 *
 * Throws `context_overflow` where the prompt is longer than the context, `usage` where the prefix
 * has a token that is none of the model's, `tokenizer_invalid` where the prompt has.
 */
export async function* generate(
  decoder: Decoder,
  tokenizer: Tokenizer,
  request: GenerateRequest,
  { signal, loadMs = 0, runId = null }: GenerateOptions = {},
): AsyncGenerator<GenerateEvent> {
  const clock = startClock(loadMs);
  const promptIds = await encodePrompt(tokenizer, request.prompt);
  const promptTokens = promptIds.length;
  checkPrompt(decoder, request, promptTokens);
  const seed = request.sampling.seed ?? randomSeed();
  const { capacity } = decoder;
  yield { kind: 'start', runId, promptTokens, contextLength: capacity, seed, loadMs };

  const sampler = createSampler(request.sampling, seed);
  const stream = tokenizer.streamDecoder([...promptIds, ...request.prefix]);
  const stopping = createStopScanner(request.stop);
  const generated = [...request.prefix];
  let text = '';
  let newTokens = 0;
  let reason: FinishReason | undefined;

  let logits = yield* read(decoder, [...promptIds, ...generated], signal);

  while (reason === undefined) {
    if (signal?.aborted || !logits) {
      reason = 'cancelled';
      break;
    }
    const { id, logprob, ...next } = sampler.next(
      logits,
      promptIds,
      generated,
      request.alternatives,
    );
    if (tokenizer.endOfText.has(id)) {
      reason = 'end-of-text';
      break;
    }
    const alternatives = next.alternatives.map((token) => ({
      ...token,
      text: tokenizer.token(token.id).text,
    }));
    generated.push(id);
    newTokens++;
    const step = stopping.push(stream.push(id));
    text += step.text;
    yield { kind: 'token', id, text: step.text, logprob, alternatives, ms: clock.token() };

    if (step.stopped) reason = 'stop-string';
    else if (newTokens >= request.maxTokens) reason = 'max-tokens';
    else if (decoder.position < capacity) logits = await decoder.step(id);
    else if (request.overflow === 'stop') reason = 'context-full';
    else logits = yield* read(decoder, [...decoder.ids, id], signal);
  }
  if (reason !== 'stop-string') text += stopping.push(stream.flush()).text + stopping.flush();
  yield { kind: 'finish', reason, text, timing: clock.timing(), promptTokens, newTokens };
}

/**
 * Reads a text as far as it fits and gives the logits behind it, or nothing when aborted. Longer
 * texts keep their first token and the newest half of the context.
 */
async function* read(
  decoder: Decoder,
  text: readonly number[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Progress, Float32Array | undefined> {
  const { capacity } = decoder;
  const newest = Math.floor(capacity / 2);
  const ids = text.length <= capacity ? text : [text[0], ...text.slice(text.length - newest)];
  const pieces = piecesOf(resume(decoder, ids));
  let logits: Float32Array | undefined;
  for (const [at, piece] of pieces.entries()) {
    if (signal?.aborted) return undefined;
    if (at > 0) yield { kind: 'progress', stage: 'prefill', fraction: at / pieces.length };
    logits = await decoder.prefill(piece);
  }
  return logits;
}

/**
 * Rewinds the decoder to what `ids` have in common with the text it has read, and gives the rest.
 * At least two tokens are read anew, so that the logits are those of a fresh start to the bit
 * (see `piecesOf`).
 */
function resume(decoder: Decoder, ids: readonly number[]): readonly number[] {
  const most = Math.min(decoder.reusable, ids.length - 2);
  let common = 0;
  while (common < most && decoder.ids[common] === ids[common]) common++;
  decoder.rewind(common);
  return ids.slice(common);
}

function checkPrompt(
  { capacity, vocabularySize }: Decoder,
  { prefix, overflow }: GenerateRequest,
  promptTokens: number,
): void {
  const unknown = prefix.find((id) => id >= vocabularySize);
  if (unknown !== undefined) {
    throw new LatheError(
      'usage',
      `the prefix names a token outside the vocabulary of ${vocabularySize}: ${unknown}`,
      { value: String(unknown) },
    );
  }
  // A text that slid once has a longer prefix than the context, and slides again.
  const total = overflow === 'slide' ? promptTokens : promptTokens + prefix.length;
  if (total <= capacity) return;
  throw new LatheError(
    'context_overflow',
    `the prompt is longer than the context: ${total} tokens, the model reads ${capacity}`,
    { value: String(total), next: ['shorten-prompt'] },
  );
}

const randomSeed = (): number => crypto.getRandomValues(new Uint32Array(1))[0];

function startClock(loadMs: number): { token(): number; timing(): Timing } {
  const start = performance.now();
  let first: number | undefined;
  let last = start;
  let tokens = 0;
  return {
    /** Milliseconds since the token before, or since the start. */
    token() {
      const now = performance.now();
      const ms = now - last;
      first ??= now;
      last = now;
      tokens++;
      return ms;
    },
    timing() {
      const ttftMs = (first ?? performance.now()) - start;
      if (first === undefined || tokens < 2) return { loadMs, ttftMs };
      const msPerToken = (last - first) / (tokens - 1);
      return { loadMs, ttftMs, msPerToken, tokensPerSecond: 1000 / msPerToken };
    },
  };
}
