import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCalibration } from '../../main/engine/calibration/calibration.ts';
import type { PassContext, PassInput } from '../../main/passes/pass.ts';
import { createRandom } from '../../main/numeric/random.ts';
import type { Tokenizer } from '../../main/tokenizer/tokenizer.ts';
import { passContext } from './passContext.ts';

/** One token per character, ids below `size`. */
function characterTokenizer(size: number): Tokenizer {
  return {
    encode: (text) => Array.from(text, (character) => character.charCodeAt(0) % size),
    decode: () => '',
    token: () => ({ text: '', bytes: new Uint8Array() }),
    streamDecoder: () => ({ push: () => '', flush: () => '' }),
    vocabularySize: size,
    endOfText: new Set(),
    beginOfText: null,
    chatTemplate: null,
    templateTokens: {},
  };
}

/** A context that calibrates on random text of `sequences` × `length` tokens; call `close` after. */
export function calibrated(
  { config }: PassInput,
  { sequences = 8, length = 24 } = {},
): { context: PassContext; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'lathe-calibration-'));
  const random = createRandom(5);
  const text = Array.from({ length: sequences * length }, () =>
    String.fromCharCode(Math.floor(32 + 90 * random.next())),
  ).join('');
  const data = join(folder, 'text.txt');
  writeFileSync(data, text);
  const calibration = openCalibration(
    { data, sequences, length, seed: 0 },
    {
      tokenizer: characterTokenizer(Number(config['vocab_size'])),
      resources: folder,
      scratch: folder,
      contextLength: Number(config['max_position_embeddings']),
      hiddenSize: Number(config['hidden_size']),
      signal: new AbortController().signal,
      threads: 1,
      device: 'cpu',
    },
  );
  return {
    context: passContext({ calibration: () => Promise.resolve(calibration) }),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
