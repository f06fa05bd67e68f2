import { svgSurface, type Surface } from '../../../charts/surface.ts';

/**
 * What a canvas shows as an SVG of the page, beside what is seen: there the colours of the theme have
 * their values. It is gone with the task that asked for it.
 */
export function offscreenSvg(
  { width, height }: { width: number; height: number },
  draw: (surface: Surface) => void,
): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.style.position = 'fixed';
  svg.style.left = '-100000px';
  document.body.append(svg);
  setTimeout(() => svg.remove());
  draw(svgSurface(svg, width, height));
  return svg;
}
