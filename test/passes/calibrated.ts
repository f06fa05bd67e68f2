import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCalibration } from '../../main/engine/calibration/calibration.ts';
import type { Sequences } from '../../main/engine/calibration/sequences.ts';
import { createRandom } from '../../main/numeric/random.ts';
import type { PassContext } from '../../main/passes/pass.ts';
import { passContext } from './passContext.ts';

/** Random tokens below `vocabulary`, in sequences that all begin alike. */
export function randomSequences(vocabulary: number, count = 12, length = 16): Sequences {
  const random = createRandom(9);
  const ids = Array.from({ length: count }, () =>
    Array.from({ length }, (_, at) => (at === 0 ? 1 : Math.floor(random.next() * vocabulary))),
  );
  return { ids, length, available: count * length };
}

/** Where small parts of graphs run in tests. */
export const place = {
  threads: 1,
  device: 'cpu' as const,
  scratch: mkdtempSync(join(tmpdir(), 'lathe-parts-')),
};

/** A context that calibrates on random tokens of the tiny decoders. */
export function calibratedContext(
  changes: Partial<PassContext> = {},
  sequences = randomSequences(40),
): PassContext {
  const { signal } = passContext(changes);
  const calibration = runCalibration(sequences, place, signal);
  return passContext({ calibration: () => Promise.resolve(calibration), ...changes });
}
