import { isObject, type JsonObject } from './json.ts';

/** The decoders of a tokenizer.json in the order they apply; a Sequence is its parts. */
export function decoderSteps(decoder: unknown): JsonObject[] {
  if (!isObject(decoder)) return [];
  if (decoder['type'] !== 'Sequence') return [decoder];
  const { decoders } = decoder;
  return Array.isArray(decoders) ? decoders.flatMap(decoderSteps) : [];
}

/**
 * Whether further tokens only ever add to the text decoded so far (but for a last U+FFFD, which may
 * become a character). Not so where a step looks across tokens at what may yet change.
 */
export function onlyAppends(decoder: unknown): boolean {
  let joined = false;
  return decoderSteps(decoder).every((step) => {
    switch (step['type']) {
      case 'ByteLevel':
      case 'ByteFallback':
      case 'Fuse':
        joined = true;
        return true;
      case 'Metaspace':
      case 'WordPiece':
        return true;
      case 'BPEDecoder':
        return step['suffix'] !== '';
      case 'Strip':
        return (step['stop'] ?? 0) === 0;
      case 'Replace':
        // On the joined text, a pattern of several characters may span what has yet to come.
        return !joined || isCharacter(step['pattern']);
      default:
        return false;
    }
  });
}

function isCharacter(pattern: unknown): boolean {
  return (
    isObject(pattern) && typeof pattern['String'] === 'string' && pattern['String'].length === 1
  );
}
