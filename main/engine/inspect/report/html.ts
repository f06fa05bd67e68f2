/** Text that is HTML already. Only this file makes it, so that nothing gets in unescaped. */
class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
export type { Markup };

/** An element that holds rules of CSS as they are. */
export const styleSheet = (rules: string): Markup => new Markup(`<style>${rules}</style>`);

type Part = string | number | Markup | null | readonly Part[];

/** HTML from a template: what is put in is escaped, unless it is HTML itself; null is nothing. */
export function markup(fixed: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  const texts = fixed.map((text, at) => (at === 0 ? text : textOf(parts[at - 1]) + text));
  return new Markup(texts.join(''));
}

function textOf(part: Part): string {
  if (part === null) return '';
  if (part instanceof Markup) return part.text;
  if (typeof part === 'string' || typeof part === 'number') return escaped(String(part));
  return part.map(textOf).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Fit for text and for quoted attributes. What HTML allows nowhere becomes U+FFFD.
 */
const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(/[&<>"']/g, (character) => entities[character] ?? '')
    // oxlint-disable-next-line no-control-regex -- that is what is looked for
    .replace(/[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/g, '\uFFFD');
