import { JSDOM } from 'jsdom';
import { expect } from 'vitest';

/** An SVG element to draw into, outside of any page. */
export function blankSvg(): SVGSVGElement {
  const { document } = new JSDOM('<svg></svg>').window;
  const svg = document.querySelector('svg');
  if (!svg) throw new Error('the document has no svg');
  return svg;
}

/**
 * Compares a drawing with `test/pictures/<name>.svg`, one element per line. `vitest -u` writes the
 * picture anew; look at it before it is committed.
 */
export async function expectPicture(svg: SVGSVGElement, name: string): Promise<void> {
  const text = svg.outerHTML
    .replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"')
    .replaceAll(/(?<=>)(?=<(?!\/text))/g, '\n');
  const path = new URL(`../../pictures/${name}.svg`, import.meta.url).pathname;
  await expect(`${text}\n`).toMatchFileSnapshot(path);
}
