import { Tokenizer as Library } from '@huggingface/tokenizers';
import { LatheError } from '../../preload/contract/errors.ts';
import { onlyAppends } from './decoders.ts';
import { fallbacks, type Fallback } from './fallback.ts';
import { describe, nameOf, type JsonObject, type SourceFile } from './json.ts';
import { readSpecialTokens, readTokenizerConfig, type SpecialTokenFiles } from './specialTokens.ts';
import { createStreamDecoder, type StreamDecoder } from './streamDecoder.ts';
import { tokenBytes } from './tokenBytes.ts';
import { readTokenizerFile, type AddedToken } from './tokenizerFile.ts';

/** UTF-16 code units of a text to encode; the slowest kind of tokenizer takes minutes for them. */
const TEXT_LIMIT = 16 * 1024 * 1024;

/** The files of a model folder that make its tokenizer, as their caller read them. */
export interface TokenizerFiles extends SpecialTokenFiles {
  /** tokenizer.json */
  readonly tokenizer: SourceFile;
}

/** Text ↔ token ids of one model. */
export interface Tokenizer {
  /**
   * Token ids of a text. `specials` (default true) adds what the model expects around a text, such
   * as its beginning-of-text token; leave it out behind a chat template, which writes them itself.
   * Special tokens written in the text count as such in both cases, as in transformers.
   */
  encode(text: string, options?: { specials?: boolean }): number[];
  /**
   * Text of a list of ids, special tokens left out. Spaces before punctuation stay as the tokens
   * have them, whatever clean_up_tokenization_spaces says: the text shows what the model wrote.
   */
  decode(ids: readonly number[]): string;
  /**
   * What a token stands for in the middle of a text: its bytes, and these as text (U+FFFD where they
   * are part of a character). A special token is its name; an id without a token is empty.
   */
  token(id: number): { text: string; bytes: Uint8Array };
  /** Whether a token stands in for what the vocabulary lacks; null where it does not. */
  fallback(id: number): Fallback | null;
  /**
   * Decodes ids as they come. Without `before`, the texts joined equal `decode` of all ids. With it
   * (it may be empty), they are what the ids add behind those: a leading space stays, and a
   * character begun there is completed.
   */
  streamDecoder(before?: readonly number[]): StreamDecoder;
  /** Highest id + 1; models often have a few more rows than that. */
  readonly vocabularySize: number;
  /** Every token that ends a text. */
  readonly endOfText: ReadonlySet<number>;
  readonly beginOfText: number | null;
  readonly chatTemplate: string | null;
  /** Texts of special tokens by the names chat templates use: bos_token, eos_token, … */
  readonly templateTokens: Readonly<Record<string, string>>;
}

/**
 * Opens a model's tokenizer. Throws tokenizer_invalid, template_invalid or config_invalid naming
 * the file and the entry at fault.
 *
 * A tokenizer.json may bring regular expressions of its own, and JavaScript's engine backtracks: one
 * made for it can keep `encode` busy for ever. So encode in a process that can be ended, as the
 * runner is; only the length of the text is limited here.
 */
export function openTokenizer(files: TokenizerFiles): Tokenizer {
  const { json, addedTokens, vocabularySize } = readTokenizerFile(files.tokenizer);
  const config = readTokenizerConfig(files);
  const library = openLibrary(files.tokenizer, json, config);
  const specials = readSpecialTokens(files, config, {
    idOf: (token) => library.token_to_id(token),
    tokenOf: (id) => library.id_to_token(id),
  });
  const hidden = specialTexts(addedTokens, config);
  const named = new Map(addedTokens.map(({ id, content }) => [id, content]));
  const bytesOf = tokenBytes(json['decoder']);

  const hasText = (id: number): boolean => {
    const token = library.id_to_token(id);
    return token !== undefined && !hidden.has(token);
  };
  const decodeAll = (ids: readonly number[]): string =>
    library.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: false });
  const anchor = findAnchor();
  const anchorLength = anchor === undefined ? 0 : decodeAll([anchor]).length;

  /** A token whose text is visible and complete, to see what another one adds behind it. */
  function findAnchor(): number | undefined {
    for (let id = 0; id < vocabularySize; id += 1) {
      if (!hasText(id) || named.has(id)) continue;
      const token = library.id_to_token(id) ?? '';
      const spelt = bytesOf(token);
      // A byte token would be decoded together with the byte tokens behind it.
      if (spelt?.length === 1 && token.length > 1) continue;
      if (/^[\p{L}\p{N}\p{P}]+$/u.test(decodeAll([id]))) return id;
    }
    return undefined;
  }

  function bytesOfToken(id: number): Uint8Array {
    const token = library.id_to_token(id);
    if (token === undefined) return new Uint8Array();
    const own = named.get(id);
    if (own !== undefined) return encodeText(own);
    const spelt = bytesOf(token);
    if (spelt !== undefined) return spelt;
    const before = anchor === undefined ? [id] : [anchor, id];
    return encodeText(decodeAll(before).slice(anchorLength));
  }

  return {
    encode(text, options = {}) {
      return encodeWith(library, files.tokenizer, text, options.specials ?? true);
    },
    decode(ids) {
      const visible = ids.filter(hasText);
      return visible.length === 0 ? '' : decodeAll(visible);
    },
    token(id) {
      const bytes = bytesOfToken(id);
      return { text: decodeText(bytes), bytes };
    },
    fallback: fallbacks(json, {
      idOf: (token) => library.token_to_id(token),
      tokenOf: (id) => library.id_to_token(id),
      bytesOf: bytesOfToken,
    }),
    streamDecoder(before) {
      return createStreamDecoder({
        decode: decodeAll,
        hasText,
        onlyAppends: onlyAppends(json['decoder']),
        before: before ?? null,
        anchor,
      });
    },
    vocabularySize,
    endOfText: specials.endOfText,
    beginOfText: specials.beginOfText,
    chatTemplate: specials.chatTemplate,
    templateTokens: specials.texts,
  };
}

function openLibrary(file: SourceFile, json: JsonObject, config: JsonObject): Library {
  return attempt(file, 'is not usable', () => {
    const library = new Library(json, config);
    // Some parts are looked into only when used; better now than in the middle of a text.
    library.encode('a');
    return library;
  });
}

/** The library throws plain errors at what it cannot work with; they are the file's failure. */
function attempt<Result>(file: SourceFile, failure: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new LatheError(
      'tokenizer_invalid',
      `${nameOf(file)} ${failure}: ${message}`,
      { file: file.path },
      { cause: error },
    );
  }
}

function encodeWith(library: Library, file: SourceFile, text: string, specials: boolean): number[] {
  if (text.length > TEXT_LIMIT) {
    throw new LatheError('usage', `text is longer than ${TEXT_LIMIT} characters: ${text.length}`);
  }
  // Half a surrogate pair is no character; it becomes U+FFFD here as it would in UTF-8.
  const { ids, tokens } = attempt(file, `fails on a text of ${text.length} characters`, () =>
    library.encode(text.toWellFormed(), { add_special_tokens: specials }),
  );
  const missing = ids.findIndex((id: number | undefined) => id === undefined);
  if (missing < 0) return ids;
  throw new LatheError(
    'tokenizer_invalid',
    `${nameOf(file)} has no token for a part of the text: ${describe(tokens[missing])}`,
    { file: file.path, value: describe(tokens[missing]) },
  );
}

/** What the library leaves out as special: it goes by the text of a token, not by its id. */
function specialTexts(added: readonly AddedToken[], config: JsonObject): Set<unknown> {
  const { additional_special_tokens: additional } = config;
  return new Set<unknown>([
    ...added.filter(({ special }) => special).map(({ content }) => content),
    ...(Array.isArray(additional) ? additional : []),
  ]);
}

function encodeText(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function decodeText(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}
