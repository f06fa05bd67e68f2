import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../renderer/state/failure.ts';
import { createWorker } from '../../../renderer/state/work.ts';

async function* events(...kinds: string[]) {
  for (const kind of kinds) yield await Promise.resolve({ kind });
}

describe('work that the engine does', () => {
  it('tells its events up to the one that ends it', async () => {
    const told: string[] = [];
    const failures: Failure[] = [];
    await createWorker().start(
      () => Promise.resolve(events('progress', 'done', 'progress')),
      ({ kind }) => told.push(kind),
      (failure) => failures.push(failure),
    );
    expect({ told, failures }).toEqual({ told: ['progress', 'done'], failures: [] });
  });

  it('has failed where its events end before it is done', async () => {
    const failures: Failure[] = [];
    await createWorker().start(
      () => Promise.resolve(events('progress')),
      () => {},
      (failure) => failures.push(failure),
    );
    expect(failures).toMatchObject([{ code: 'engine_lost', data: { next: ['retry'] } }]);
  });

  it('ends when other work begins, and is not heard any more', async () => {
    const worker = createWorker();
    const told: string[] = [];
    const failures: Failure[] = [];
    const gate = Promise.withResolvers<void>();
    let signal: AbortSignal | null = null;
    const first = worker.start(
      async (given) => {
        signal = given;
        await gate.promise;
        return events('first', 'done');
      },
      ({ kind }) => told.push(kind),
      (failure) => failures.push(failure),
    );
    const second = worker.start(
      () => Promise.resolve(events('second', 'done')),
      ({ kind }) => told.push(kind),
      (failure) => failures.push(failure),
    );
    gate.resolve();
    await Promise.all([first, second]);
    expect(signal).toMatchObject({ aborted: true });
    expect({ told, failures }).toEqual({ told: ['second', 'done'], failures: [] });
  });
});
