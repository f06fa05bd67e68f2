import { JSDOM } from 'jsdom';

/** An SVG element to draw into, outside of any page. */
export function blankSvg(): SVGSVGElement {
  const { document } = new JSDOM('<svg></svg>').window;
  const svg = document.querySelector('svg');
  if (!svg) throw new Error('the document has no svg');
  return svg;
}

/** A drawing as a file of its own, one element per line. */
export const linesOf = (svg: SVGSVGElement): string =>
  svg.outerHTML
    .replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"')
    .replaceAll(/(?<=>)(?=<(?!\/text))/g, '\n') + '\n';

/** Path of an expected picture; `vitest -u` writes it anew: look at it before it is committed. */
export const picture = (name: string): string =>
  new URL(`../../pictures/${name}.svg`, import.meta.url).pathname;
