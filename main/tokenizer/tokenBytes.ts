import { decoderSteps } from './decoders.ts';

/** The bytes of single tokens in a vocabulary that spells bytes; undefined where it spells text. */
export type TokenBytes = (token: string) => Uint8Array | undefined;

/**
 * How a tokenizer with this decoder spells bytes: GPT-2's alphabet (one character a byte), byte
 * tokens such as <0x0A>, or not at all.
 */
export function tokenBytes(decoder: unknown): TokenBytes {
  const types = new Set(decoderSteps(decoder).map((step) => step['type']));
  if (types.has('ByteLevel')) return alphabetBytes;
  return types.has('ByteFallback') ? byteToken : () => undefined;
}

function alphabetBytes(token: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of token) {
    const byte = BYTE_OF.get(character);
    if (byte === undefined) bytes.push(...new TextEncoder().encode(character));
    else bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

function byteToken(token: string): Uint8Array | undefined {
  const hex = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
  return hex === undefined ? undefined : Uint8Array.of(Number.parseInt(hex, 16));
}

/**
 * The alphabet of GPT-2's encoder: printable bytes stand for themselves, the others for the
 * characters from U+0100 on. Radford et al., "Language models are unsupervised multitask learners"
 * (2019), `bytes_to_unicode` of the published code.
 */
const BYTE_OF: ReadonlyMap<string, number> = alphabet();

function alphabet(): Map<string, number> {
  const byteOf = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte += 1) {
    const printable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    byteOf.set(String.fromCodePoint(printable ? byte : next), byte);
    if (!printable) next += 1;
  }
  return byteOf;
}
