/** Pictures are saved at twice their size on the page, so that they stay sharp in a document. */
const scale = 2;

/**
 * An SVG of the page as a file of its own: colours, which on the page are variables of the theme,
 * as they are shown now, and the ground behind them.
 */
export function svgText(svg: SVGSVGElement): string {
  const styles = getComputedStyle(svg);
  const resolve = (value: string): string =>
    value.replaceAll(/var\((--[\w-]+)\)/g, (_, name: string) =>
      styles.getPropertyValue(name).trim(),
    );
  const copy = document.importNode(svg, true);
  for (const element of [copy, ...copy.querySelectorAll('*')]) {
    for (const { name, value } of element.attributes) {
      if (value.includes('var(')) element.setAttribute(name, resolve(value));
    }
  }
  const { width, height } = sizeOf(svg);
  const ground = document.createElementNS(copy.namespaceURI, 'rect');
  ground.setAttribute('width', '100%');
  ground.setAttribute('height', '100%');
  ground.setAttribute('fill', styles.getPropertyValue('--lathe-surface').trim());
  copy.prepend(ground);
  copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  copy.setAttribute('width', String(width));
  copy.setAttribute('height', String(height));
  copy.setAttribute('font-family', styles.fontFamily);
  copy.setAttribute('font-size', styles.fontSize);
  copy.removeAttribute('style');
  return new XMLSerializer().serializeToString(copy);
}

/** An SVG of the page as a PNG. */
export async function pngOfSvg(svg: SVGSVGElement): Promise<Blob> {
  const { width, height } = sizeOf(svg);
  const image = new Image(width, height);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(svg))}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = width * scale;
  canvas.height = height * scale;
  const context = canvas.getContext('2d');
  if (!context) throw new Error('the page cannot draw');
  context.scale(scale, scale);
  context.drawImage(image, 0, 0, width, height);
  return pngOfCanvas(canvas);
}

/** A canvas of the page as a PNG, in its own pixels. */
export function pngOfCanvas(canvas: HTMLCanvasElement): Promise<Blob> {
  const { promise, resolve, reject } = Promise.withResolvers<Blob>();
  canvas.toBlob((blob) => {
    if (blob) resolve(blob);
    else reject(new Error('the picture is too large to save'));
  }, 'image/png');
  return promise;
}

function sizeOf(svg: SVGSVGElement): { width: number; height: number } {
  const { width, height } = svg.getBoundingClientRect();
  return { width: Math.ceil(width), height: Math.ceil(height) };
}
