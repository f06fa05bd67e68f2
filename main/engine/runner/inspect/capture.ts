import { captureBytes } from '../../../capture/limits.ts';
import { encodePrompt } from '../../../inference/prompt.ts';
import { progressOf } from '../../progress.ts';
import type { ModelHolder } from '../loaded.ts';
import type { Captures } from './captures.ts';
import type { CaptureRequest, CaptureTold } from './contract.ts';
import { makeRoom, roomWithin } from './room.ts';
import { tokensOf } from './tokens.ts';

/** Runs a prompt and keeps what the model computed under the id of the request. */
export async function* capture(
  { captures, holder }: { captures: Captures; holder: ModelHolder },
  { id, source, prompt, ablate, memoryLimit, needs }: CaptureRequest,
  signal: AbortSignal,
): AsyncGenerator<CaptureTold> {
  yield { kind: 'progress', stage: 'loading the model' };
  // The same model may be loaded to write text, from a graph of its own.
  if (!captures.isOpen(source)) await makeRoom({ holder, captures }, { needs, memoryLimit });
  const subject = await captures.subject(source);
  const { capturer, tokenizer } = subject;
  yield { kind: 'opened', fastCache: capturer.writesInPlace };
  const ids = await encodePrompt(tokenizer, prompt);
  const bytes = captureBytes(capturer.subject, ids.length);
  captures.makeRoom(bytes, () => roomWithin(memoryLimit));
  const mostBytes = roomWithin(memoryLimit);
  const captured = yield* progressOf((onProgress) =>
    capturer.capture(ids, { ablate, signal, onProgress, mostBytes }),
  );
  captures.keep(id, { subject, captured });
  const { hiddenSize, vocabularySize, hookPoints } = capturer.subject;
  yield {
    kind: 'done',
    capture: {
      id,
      tokens: tokensOf(tokenizer, ids),
      layers: captured.layers.length,
      heads: captured.layers.map(({ heads }) => heads),
      keyValueHeads: captured.layers.map(({ keyValueHeads }) => keyValueHeads),
      hiddenSize,
      vocabularySize,
      ablated: [...captured.ablated],
      hookPoints: [...hookPoints],
      bytes: captured.bytes,
      ms: captured.ms,
    },
  };
}
