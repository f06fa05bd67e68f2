import { LatheError } from '../../preload/contract/errors.ts';
import {
  describe,
  isObject,
  nameOf,
  readJsonObject,
  type JsonObject,
  type SourceFile,
} from './json.ts';

/** What a tokenizer.json may hold; the largest in use have 34 MB, 262,144 tokens, 580,604 merges. */
const TOKENIZER_LIMITS = {
  fileBytes: 64 * 1024 * 1024,
  vocabulary: 2_000_000,
  merges: 4_000_000,
  /** UTF-16 code units of one token: at most three bytes each, so 4 KB of UTF-8 always pass. */
  token: 4096,
};

/** A token that stands beside the model's vocabulary and is found in text before it. */
export interface AddedToken {
  id: number;
  content: string;
  special: boolean;
}

/** A tokenizer.json that was checked, in the form the library wants it. */
export interface TokenizerFile {
  json: JsonObject;
  addedTokens: AddedToken[];
  /** Highest id + 1. */
  vocabularySize: number;
}

/**
 * Reads a tokenizer.json and checks everything the library takes for granted: kind of model, shape
 * and size of vocabulary and merges, ids. An added token may take the place of a vocabulary entry
 * of the same id, as fine-tuned models do. Throws tokenizer_invalid naming the entry at fault.
 */
export function readTokenizerFile(file: SourceFile): TokenizerFile {
  const json = readJsonObject(file, {
    code: 'tokenizer_invalid',
    limit: TOKENIZER_LIMITS.fileBytes,
  });
  const fail: Fail = (what, value) => {
    const given = value === undefined ? '' : `: ${describe(value)}`;
    throw new LatheError('tokenizer_invalid', `${nameOf(file)}: ${what}${given}`, {
      file: file.path,
      ...(value === undefined ? {} : { value: describe(value) }),
    });
  };
  const { model } = json;
  if (!isObject(model)) {
    return fail('a tokenizer needs a model', model ?? null);
  }
  const type = modelType(model, fail);
  const ids = type === 'Unigram' ? checkScores(model, fail) : checkVocabulary(model, fail);
  if (type === 'BPE') checkMerges(model['merges'], fail);
  if (type === 'WordPiece' && typeof model['continuing_subword_prefix'] !== 'string') {
    fail('continuing_subword_prefix is not a text', model['continuing_subword_prefix'] ?? null);
  }
  const addedTokens = checkAddedTokens(json['added_tokens'] ?? [], fail);
  const highest = addedTokens.reduce((most, { id }) => Math.max(most, id), ids - 1);
  const { normalizer = null, pre_tokenizer = null, post_processor = null, decoder = null } = json;
  return {
    json: {
      normalizer,
      pre_tokenizer,
      post_processor,
      decoder,
      model: { ...model, type },
      added_tokens: json['added_tokens'] ?? [],
    },
    addedTokens,
    vocabularySize: highest + 1,
  };
}

type Fail = (what: string, value?: unknown) => never;

/** Older files leave the type out; it then shows in what else the model has. */
function modelType(model: JsonObject, fail: Fail): 'BPE' | 'WordPiece' | 'Unigram' {
  const { type, vocab, merges } = model;
  switch (type) {
    case 'BPE':
    case 'WordPiece':
    case 'Unigram':
      return type;
    case undefined:
      if (Array.isArray(vocab)) return 'Unigram';
      return merges === undefined ? 'WordPiece' : 'BPE';
    default:
      return fail('the model is of a kind that is not supported', type);
  }
}

/** Checks a map from token to id; gives the highest id + 1. */
function checkVocabulary({ vocab }: JsonObject, fail: Fail): number {
  if (!isObject(vocab)) return fail('the vocabulary is not a map of tokens to ids', vocab ?? null);
  const tokens = Object.keys(vocab);
  checkCount(tokens.length, fail);
  const owners = new Map<number, string>();
  let highest = -1;
  for (const token of tokens) {
    checkToken(token, fail);
    const id = checkId(vocab[token], token, fail);
    const owner = owners.get(id);
    if (owner !== undefined) fail(`two tokens have the id ${id}`, [owner, token].join(' and '));
    owners.set(id, token);
    highest = Math.max(highest, id);
  }
  return highest + 1;
}

/** Checks Unigram's list of [token, score], whose index is the id; gives its length. */
function checkScores({ vocab, unk_id }: JsonObject, fail: Fail): number {
  if (!Array.isArray(vocab)) {
    return fail('the vocabulary is not a list of tokens with scores', vocab ?? null);
  }
  checkCount(vocab.length, fail);
  for (const [id, entry] of vocab.entries()) {
    const [token, score] = Array.isArray(entry) ? (entry as unknown[]) : [];
    if (typeof token !== 'string' || !Number.isFinite(score)) {
      fail(`entry ${id} of the vocabulary is not a token with a score`, entry);
    }
    checkToken(token, fail);
  }
  const unknown = unk_id ?? null;
  if (unknown !== null && !(Number.isInteger(unknown) && Number(unknown) in vocab)) {
    fail('unk_id is no id of the vocabulary', unknown);
  }
  return vocab.length;
}

/** Merges are all "a b" or all ["a", "b"]. */
function checkMerges(merges: unknown, fail: Fail): void {
  if (!Array.isArray(merges)) {
    fail('the merges are not a list', merges ?? null);
    return;
  }
  if (merges.length > TOKENIZER_LIMITS.merges) {
    fail(`more than ${TOKENIZER_LIMITS.merges} merges`, merges.length);
  }
  const pairs = Array.isArray(merges[0]);
  for (const [rank, merge] of merges.entries()) {
    const parts: unknown[] = pairs || typeof merge !== 'string' ? merge : merge.split(' ');
    const whole =
      Array.isArray(parts) && parts.length === 2 && Array.isArray(merge) === pairs
        ? parts.every((part) => typeof part === 'string' && part !== '')
        : false;
    if (!whole) fail(`merge ${rank} is not a pair of tokens`, merge);
    for (const part of parts) checkToken(String(part), fail);
  }
}

function checkAddedTokens(tokens: unknown, fail: Fail): AddedToken[] {
  if (!Array.isArray(tokens)) return fail('the added tokens are not a list', tokens);
  if (tokens.length > TOKENIZER_LIMITS.vocabulary) {
    fail(`more than ${TOKENIZER_LIMITS.vocabulary} added tokens`, tokens.length);
  }
  const owners = new Map<number, string>();
  return tokens.map((token: unknown, index) => {
    if (!isObject(token) || typeof token['content'] !== 'string') {
      return fail(`added token ${index} has no content`, token);
    }
    const { content } = token;
    checkToken(content, fail);
    const id = checkId(token['id'], content, fail);
    const owner = owners.get(id);
    if (owner !== undefined && owner !== content) {
      fail(`two added tokens have the id ${id}`, [owner, content].join(' and '));
    }
    owners.set(id, content);
    return { id, content, special: token['special'] === true };
  });
}

function checkCount(count: number, fail: Fail): void {
  if (count === 0) fail('the vocabulary is empty');
  if (count > TOKENIZER_LIMITS.vocabulary) {
    fail(`the vocabulary has more than ${TOKENIZER_LIMITS.vocabulary} tokens`, count);
  }
}

function checkToken(token: string, fail: Fail): void {
  if (token.length > TOKENIZER_LIMITS.token) {
    fail(`a token is longer than ${TOKENIZER_LIMITS.token} characters`, token);
  }
}

/** Ids index arrays: one far beyond the vocabulary would make them huge. */
function checkId(id: unknown, token: string, fail: Fail): number {
  if (!Number.isInteger(id) || Number(id) < 0 || Number(id) >= TOKENIZER_LIMITS.vocabulary) {
    fail(
      `the id of token ${describe(token)} is not a whole number from 0 to ${TOKENIZER_LIMITS.vocabulary - 1}`,
      id ?? null,
    );
  }
  return Number(id);
}
