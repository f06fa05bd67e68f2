/** Values from whoever calls back, to whoever reads a stream; in order, and none is lost. */
export interface Channel<T> {
  push(value: T): void;
  /** The stream ends behind what was pushed, with this error where there is one. */
  end(error?: unknown): void;
  /** For one reader. */
  read(): AsyncGenerator<T, void>;
}

export function createChannel<T>(): Channel<T> {
  const waiting: T[] = [];
  let ended: { error: unknown } | null = null;
  let wake = Promise.withResolvers<void>();
  return {
    push(value) {
      waiting.push(value);
      wake.resolve();
    },
    end(error) {
      ended ??= { error };
      wake.resolve();
    },
    async *read() {
      for (;;) {
        while (waiting.length > 0) yield* waiting.splice(0);
        if (ended) break;
        await wake.promise;
        wake = Promise.withResolvers();
      }
      if (ended.error !== undefined) throw ended.error;
    },
  };
}
