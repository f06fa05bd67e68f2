import { useLayoutEffect, useState, type RefObject } from 'react';

/** A stretch without a line break is cut when it is longer than this many tokens … */
const longest = 384;
/** … so far before its end that the lines being written are not touched. */
const margin = 96;

/**
 * Indices of tokens that begin a line on the screen, about one in every few hundred: text cut there
 * looks the same, and its parts can be laid out on their own. Without this, every new token would
 * have the whole text laid out and painted anew. A change of width finds them anew.
 *
 * @param paragraphs Starts of the paragraphs by line breaks.
 * @param origin What is another object when the text is another one.
 */
export function useLineStarts(
  element: RefObject<HTMLElement | null>,
  paragraphs: readonly number[],
  count: number,
  origin: unknown,
): readonly number[] {
  const [starts, setStarts] = useState<readonly number[]>([]);
  const [known, setKnown] = useState(origin);
  if (known !== origin) {
    setKnown(origin);
    setStarts([]);
  }

  useLayoutEffect(() => {
    const root = element.current;
    const last = Math.max(paragraphs.at(-1) ?? 0, starts.at(-1) ?? 0);
    if (!root || count - last <= longest) return;
    const next = lineStartBefore(root, count - margin, last);
    // Where lines begin is known only once they are laid out.
    // oxlint-disable-next-line react/set-state-in-effect
    if (next !== null) setStarts([...starts, next]);
  }, [element, paragraphs, count, starts]);

  useLayoutEffect(() => {
    const root = element.current;
    if (!root) return undefined;
    let width = root.clientWidth;
    const observer = new ResizeObserver(() => {
      if (root.clientWidth === width) return;
      width = root.clientWidth;
      setStarts([]);
    });
    observer.observe(root);
    return () => observer.disconnect();
  }, [element]);

  return starts;
}

/** The nearest token before `from` that begins a line on the screen; null where there is none. */
function lineStartBefore(root: HTMLElement, from: number, after: number): number | null {
  for (let index = from; index > after; index -= 1) {
    const span = root.querySelector(`[data-token="${index}"]`);
    if (!span) continue;
    const rects = span.getClientRects();
    const [first, second] = rects;
    // A word that was moved to the next line leaves its leading space behind on the line before.
    if (rects.length === 2 && first && second && first.width < second.height / 2) return index;
  }
  return null;
}
