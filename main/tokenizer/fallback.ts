import { isObject, type JsonObject } from './json.ts';

/**
 * What a token stands in for: `byte` is a piece of a character, or one spelt by its byte because the
 * vocabulary lacks it; `unknown` is anything at all.
 */
export type Fallback = 'byte' | 'unknown';

interface Vocabulary {
  readonly idOf: (token: string) => number | undefined;
  readonly tokenOf: (id: number) => string | undefined;
  readonly bytesOf: (id: number) => Uint8Array;
}

/** Tells fallbacks of a tokenizer.json from its other tokens. */
export function fallbacks(
  { model }: JsonObject,
  { idOf, tokenOf, bytesOf }: Vocabulary,
): (id: number) => Fallback | null {
  const { unk_token: text = null, unk_id: index = null } = isObject(model) ? model : {};
  const unknown = typeof text === 'string' ? idOf(text) : index;
  return (id) => {
    if (id === unknown) return 'unknown';
    if (/^<0x[0-9A-Fa-f]{2}>$/.test(tokenOf(id) ?? '')) return 'byte';
    return isWhole(bytesOf(id)) ? null : 'byte';
  };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Whether bytes are whole characters. */
function isWhole(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}
