/** Turns token ids into text one by one. */
export interface StreamDecoder {
  /** Takes the next id; gives the text that became certain. Never half a character. */
  push(id: number): string;
  /** At the end: what was held back, an incomplete character as U+FFFD. */
  flush(): string;
}

interface StreamOptions {
  /** Decodes ids that `hasText` as a text of their own. */
  decode: (ids: readonly number[]) => string;
  /** Whether an id shows as text: special tokens and ids outside the vocabulary do not. */
  hasText: (id: number) => boolean;
  /** False where later tokens may change earlier text: then all of it comes with `flush`. */
  onlyAppends: boolean;
  /** Ids that stand before the first; null when the first begins the text. */
  before: readonly number[] | null;
  /** An id whose text is a visible word, to stand before `before`. */
  anchor: number | undefined;
}

/** Tokens decoded at once: the cost of a push does not grow with the text. */
const WINDOW = 16;
const KEPT = 4;
/** The longest incomplete character has 3 bytes: this many characters reach back further. */
const CERTAIN_LENGTH = 4;
const INCOMPLETE = '\uFFFD';

/**
 * Decodes a window of the latest tokens again at every push and gives out what is new. A decoder's
 * state at the end of a text (leading space stripped or not, bytes of a character missing) is
 * settled by the few characters before: so the window may drop its beginning as long as the rest
 * still shows CERTAIN_LENGTH characters, and the texts joined equal the whole list decoded at once.
 */
export function createStreamDecoder(options: StreamOptions): StreamDecoder {
  const { decode, hasText, onlyAppends, before, anchor } = options;
  let window: number[] = [];
  /** Characters of the window's text that were given out. */
  let shown = 0;

  const take = (): { text: string; fresh: string } => {
    const text = decode(window);
    const certain = text.endsWith(INCOMPLETE) ? text.length - 1 : text.length;
    const fresh = text.slice(shown, certain);
    shown = Math.max(shown, certain);
    return { text, fresh };
  };
  const forget = (text: string): void => {
    for (let kept = KEPT; kept < window.length; kept *= 2) {
      const latest = window.slice(-kept);
      const rest = decode(latest);
      if (rest.length < CERTAIN_LENGTH) continue;
      window = latest;
      shown += rest.length - text.length;
      return;
    }
  };

  if (before !== null) {
    if (anchor !== undefined) window.push(anchor);
    window.push(...before.filter(hasText).slice(-KEPT));
    if (window.length > 0) take();
  }
  return {
    push(id) {
      if (!hasText(id)) return '';
      window.push(id);
      if (!onlyAppends) return '';
      const { text, fresh } = take();
      if (window.length >= WINDOW) forget(text);
      return fresh;
    },
    flush() {
      if (window.length === 0) return '';
      const text = decode(window);
      const rest = text.slice(shown);
      shown = text.length;
      return rest;
    },
  };
}
