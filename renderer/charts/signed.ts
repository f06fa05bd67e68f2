import { interpolateRgb, rgb } from 'd3';

/** Shades of the scale for text: four to each side, and the middle that shows nothing. */
export const signedShades = 9;

/** Shade of a signed value where `size` is the largest of all, in either direction. */
export function signedShade(value: number, size: number): number {
  const half = (signedShades - 1) / 2;
  const position = size > 0 ? Math.min(1, Math.max(-1, value / size)) : 0;
  return half + Math.round(position * half);
}

/** The two ends of a scale around zero, and how much of them lies on the ground under text. */
export interface Poles {
  readonly surface: string;
  readonly less: string;
  readonly more: string;
  readonly strength: number;
}

/** Backgrounds for text, the most negative first; that of zero is the surface itself. */
export function signedColors({ surface, less, more, strength }: Poles): string[] {
  const half = (signedShades - 1) / 2;
  return Array.from({ length: signedShades }, (_, shade) => {
    const position = (shade - half) / half;
    const pole = position < 0 ? less : more;
    return rgb(interpolateRgb(surface, pole)(strength * Math.abs(position))).formatHex();
  });
}
