/** Between two signs of life, in milliseconds. */
const INTERVAL = 1000;

/** What a job tells that has one result: that it lives, and the result at the end. */
export type Answering<T> =
  { readonly kind: 'alive' } | { readonly kind: 'done'; readonly result: T };

/** One answer as a stream, so that nobody takes a long silence for a hang. */
export async function* answering<T>(work: () => Promise<T>): AsyncGenerator<Answering<T>, void> {
  const answer = work().then((result) => ({ kind: 'done', result }) as const);
  // The reader may leave before the end.
  answer.catch(() => undefined);
  for (;;) {
    const { promise: pause, resolve } = Promise.withResolvers<{ kind: 'alive' }>();
    const timer = setTimeout(() => resolve({ kind: 'alive' }), INTERVAL);
    try {
      const next = await Promise.race([answer, pause]);
      yield next;
      if (next.kind === 'done') return;
    } finally {
      clearTimeout(timer);
    }
  }
}
