/** A text that wants to stand beside a place. */
export interface LabelWish {
  readonly text: string;
  readonly x: number;
  readonly y: number;
}

export interface PlacedLabel {
  readonly text: string;
  /** Where the text begins, and its middle. */
  readonly x: number;
  readonly y: number;
}

interface Room {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** Wide enough for a character of most names at 11 pixels. */
const characterWidth = 6;
const height = 14;
const gap = 8;

/**
 * Places labels beside their dots so that none lies over another or over a dot: above at the
 * right, where lines seldom run, then all around. Those that come first choose first; what has no room is left out.
 */
export function placeLabels(
  wishes: readonly LabelWish[],
  dots: readonly (readonly [x: number, y: number])[],
  within: Room,
): PlacedLabel[] {
  const taken: Room[] = [];
  return wishes.flatMap(({ text, x, y }) => {
    const width = text.length * characterWidth;
    for (const [left, middle] of [
      [x + 6, y - 12],
      [x + gap, y],
      [x + 6, y + 12],
      [x - 6 - width, y - 12],
      [x - 6 - width, y + 12],
      [x - gap - width, y],
      [x - width / 2, y - 14],
      [x - width / 2, y + 14],
    ] as const) {
      const room = {
        left,
        top: middle - height / 2,
        right: left + width,
        bottom: middle + height / 2,
      };
      const fits =
        room.left >= within.left &&
        room.right <= within.right &&
        room.top >= within.top &&
        room.bottom <= within.bottom;
      if (!fits || taken.some((other) => overlaps(room, other))) continue;
      if (dots.some(([dotX, dotY]) => covers(room, dotX, dotY))) continue;
      taken.push(room);
      return [{ text, x: left, y: middle }];
    }
    return [];
  });
}

const overlaps = (a: Room, b: Room): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;

/** A dot reaches four pixels around its place. */
const covers = ({ left, top, right, bottom }: Room, x: number, y: number): boolean =>
  x > left - 4 && x < right + 4 && y > top - 4 && y < bottom + 4;
