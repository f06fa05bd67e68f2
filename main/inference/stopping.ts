/** Finds stop strings in text that arrives piece by piece. */
export interface StopScanner {
  /**
   * Takes the next piece; gives the text that may be shown now. `stopped` means a stop string is
   * complete: the text ended before it, and nothing further may be pushed.
   */
  push(piece: string): { text: string; stopped: boolean };
  /** At the end of the text: what was held back and became no stop string. */
  flush(): string;
}

/**
 * Holds back exactly the end that may still become one of `stops`, and ends the text before the
 * stop string that is complete first (of those complete at the same character, the longest), so the
 * outcome does not depend on where the pieces are cut.
 */
export function createStopScanner(stops: readonly string[]): StopScanner {
  const longest = Math.max(0, ...stops.map((stop) => stop.length));
  let held = '';
  return {
    push(piece) {
      const text = held + piece;
      const found = firstComplete(text, stops);
      if (found !== undefined) {
        held = '';
        return { text: text.slice(0, found), stopped: true };
      }
      const certain = certainLength(text, stops, longest);
      held = text.slice(certain);
      return { text: text.slice(0, certain), stopped: false };
    },
    flush() {
      const rest = held;
      held = '';
      return rest;
    },
  };
}

/** Where the stop string starts that ends first; the earliest start among equal ends. */
function firstComplete(text: string, stops: readonly string[]): number | undefined {
  let start: number | undefined;
  let end = Infinity;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at < 0) continue;
    const stopEnd = at + stop.length;
    if (stopEnd > end || (stopEnd === end && start !== undefined && start <= at)) continue;
    start = at;
    end = stopEnd;
  }
  return start;
}

/** Length of `text` without its longest end that begins a stop string. */
function certainLength(text: string, stops: readonly string[], longest: number): number {
  for (let at = Math.max(0, text.length - longest + 1); at < text.length; at += 1) {
    const end = text.slice(at);
    if (stops.some((stop) => stop.startsWith(end))) return at;
  }
  return text.length;
}
