import { canvasSurface, svgSurface, type Surface } from '../charts/surface.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Browsers draw no canvas that is longer. */
const longest = 16_384;

/** Gives colours of the theme as a canvas wants them: what a variable stands for. */
export function colorsOf(element: Element): (color: string) => string {
  const styles = getComputedStyle(element);
  const known = new Map<string, string>();
  return (color) => {
    const found = known.get(color);
    if (found !== undefined) return found;
    const value = color.replaceAll(/var\((--[\w-]+)\)/g, (_, name: string) =>
      styles.getPropertyValue(name).trim(),
    );
    known.set(color, value);
    return value;
  };
}

/** The whole of a picture on a canvas of its own, to be saved: twice its size where that fits. */
export function wholeCanvas(
  { width, height }: Size,
  draw: (surface: Surface) => void,
): HTMLCanvasElement {
  const scale = Math.min(2, longest / width, longest / height);
  const canvas = document.createElement('canvas');
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext('2d');
  if (!context) throw new Error('the page cannot draw');
  context.scale(scale, scale);
  const surface = canvasSurface(context, colorsOf(document.body));
  surface.rect({ x: 0, y: 0, width, height }, 'var(--lathe-surface)');
  draw(surface);
  return canvas;
}

/** The whole of a picture as an SVG, to be saved. It is in the page for a moment, for its theme. */
export function wholeSvg({ width, height }: Size, draw: (surface: Surface) => void): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  draw(svgSurface(svg, width, height));
  svg.style.cssText = 'position: fixed; left: 100%';
  document.body.append(svg);
  setTimeout(() => svg.remove());
  return svg;
}
