/** Answers that were fetched once, as long as together they fit a budget. */
export interface Slices {
  /** What was fetched under this key, or what `load` gives now. Failures are not kept. */
  get<T>(key: string, load: () => Promise<T>): Promise<T>;
  clear(): void;
}

interface Slice {
  readonly value: Promise<unknown>;
  bytes: number;
}

/** @param budget Bytes of typed arrays that are kept; the longest unused go first. */
export function createSlices(budget: number): Slices {
  const kept = new Map<string, Slice>();
  const shrink = (newest: string): void => {
    let bytes = [...kept.values()].reduce((sum, slice) => sum + slice.bytes, 0);
    for (const [key, slice] of kept) {
      if (bytes <= budget) return;
      if (key === newest) continue;
      kept.delete(key);
      bytes -= slice.bytes;
    }
  };
  const fetched = async <T>(key: string, load: () => Promise<T>): Promise<T> => {
    try {
      const value = await load();
      const slice = kept.get(key);
      if (slice) {
        slice.bytes = bytesOf(value);
        shrink(key);
      }
      return value;
    } catch (error) {
      kept.delete(key);
      throw error;
    }
  };
  return {
    get<T>(key: string, load: () => Promise<T>): Promise<T> {
      const found = kept.get(key);
      const slice = found ?? { value: fetched(key, load), bytes: 0 };
      // A map keeps the order of insertion: what is used moves to its end.
      kept.delete(key);
      kept.set(key, slice);
      // A key names one kind of answer.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return slice.value as Promise<T>;
    },
    clear: () => kept.clear(),
  };
}

const bytesOf = (value: unknown): number => {
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (typeof value !== 'object' || value === null) return 0;
  return Object.values(value).reduce(
    (sum: number, part) => sum + (ArrayBuffer.isView(part) ? part.byteLength : 0),
    0,
  );
};
