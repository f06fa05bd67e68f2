import { LatheError } from '../../preload/contract/errors.ts';
import type { DataKind } from '../../preload/contract/evaluation.ts';

export interface DocumentItem {
  readonly text: string;
}
export interface ChoiceItem {
  /** May be empty. */
  readonly context: string;
  readonly choices: readonly string[];
  /** Index of the right choice. */
  readonly answer: number;
}
export interface PairItem {
  readonly good: string;
  readonly bad: string;
}
export interface ContinuationItem {
  readonly prompt: string;
  readonly continuation: string;
}

interface Items {
  documents: DocumentItem;
  choices: ChoiceItem;
  pairs: PairItem;
  continuations: ContinuationItem;
}

/** The items of a file, all of one kind. */
export type DataSet = {
  [Kind in DataKind]: { readonly kind: Kind; readonly items: readonly Items[Kind][] };
}[DataKind];

/** How a file is read as a kind of data. */
export interface DataFormat {
  readonly kind: DataKind;
  /** Names that fields have in the file, by the names they have here. */
  readonly fields: Readonly<Record<string, string>>;
}

/** Names under which published data sets hold a field, the first that is there counts. */
const aliases: Readonly<Record<string, readonly string[]>> = {
  text: ['text', 'story', 'document'],
  context: ['context', 'question', 'query'],
  choices: ['choices', 'options'],
  answer: ['answer', 'gold', 'label'],
  good: ['good', 'sentence_good'],
  bad: ['bad', 'sentence_bad'],
  prompt: ['prompt', 'context'],
  continuation: ['continuation', 'completion', 'reference'],
};

/** One record of a file, and where it stands: `line 3`. */
interface Entry {
  readonly where: string;
  readonly value: unknown;
}

/**
 * Reads a data set by the ending of its name. `.txt`: documents, separated by lines of
 * `<|endoftext|>`, else the whole file is one. `.json`: an array of texts or objects. `.jsonl`: one
 * of them per line. `.tsv`: a line of column names, then one record per line. Throws
 * `file_malformed` naming file and line: a missing field, an empty text, an answer that is no
 * choice; `usage` for an ending or a field map that cannot be.
 */
export function parseData(text: string, file: string, { kind, fields }: DataFormat): DataSet {
  for (const name of Object.keys(fields)) {
    if (!fieldsOf[kind].includes(name)) {
      const known = fieldsOf[kind].join(', ');
      throw new LatheError('usage', `${kind} have the fields ${known}, not this one: ${name}`);
    }
  }
  const entries = entriesOf(text.replace(/^\uFEFF/, ''), file);
  if (entries.length === 0) throw malformed(file, 'there is nothing in it', '0 items');
  const all = entries.map((entry) => new Reader(entry, file, kind, fields));
  switch (kind) {
    case 'documents':
      return { kind, items: all.map((reader) => ({ text: reader.text('text') })) };
    case 'choices':
      return { kind, items: all.map((reader) => reader.choice()) };
    case 'pairs':
      return {
        kind,
        items: all.map((reader) => ({ good: reader.text('good'), bad: reader.text('bad') })),
      };
    case 'continuations':
      return {
        kind,
        items: all.map((reader) => ({
          prompt: reader.text('prompt'),
          continuation: reader.text('continuation'),
        })),
      };
  }
}

const fieldsOf: Readonly<Record<DataKind, readonly string[]>> = {
  documents: ['text'],
  choices: ['context', 'choices', 'answer'],
  pairs: ['good', 'bad'],
  continuations: ['prompt', 'continuation'],
};

/** The first so many items. */
export function limited(data: DataSet, limit: number | undefined): DataSet {
  switch (data.kind) {
    case 'documents':
      return { kind: data.kind, items: data.items.slice(0, limit) };
    case 'choices':
      return { kind: data.kind, items: data.items.slice(0, limit) };
    case 'pairs':
      return { kind: data.kind, items: data.items.slice(0, limit) };
    case 'continuations':
      return { kind: data.kind, items: data.items.slice(0, limit) };
  }
}

function entriesOf(text: string, file: string): Entry[] {
  const ending = /\.[^./\\]+$/.exec(file)?.[0].toLowerCase();
  switch (ending) {
    case '.txt':
      return documentsOf(text);
    case '.json':
      return jsonEntries(text, file);
    case '.jsonl':
      return linesOf(text).map(({ where, line }) => ({ where, value: parsed(line, file, where) }));
    case '.tsv':
      return tableEntries(text, file);
    default:
      throw new LatheError('usage', `data must be .txt, .json, .jsonl or .tsv: ${file}`, { file });
  }
}

function linesOf(text: string): { where: string; line: string }[] {
  return text
    .split(/\r?\n/)
    .map((line, at) => ({ where: `line ${at + 1}`, line }))
    .filter(({ line }) => line.trim() !== '');
}

function documentsOf(text: string): Entry[] {
  const lines = text.split(/\r?\n/);
  const entries: Entry[] = [];
  let start = 0;
  for (let at = 0; at <= lines.length; at++) {
    const isEnd = at === lines.length;
    if (!isEnd && lines[at].trim() !== '<|endoftext|>') continue;
    const value = lines.slice(start, at).join('\n').trim();
    // Behind the last separator there need not be a document.
    if (!isEnd || value !== '') entries.push({ where: `line ${start + 1}`, value });
    start = at + 1;
  }
  return entries;
}

function jsonEntries(text: string, file: string): Entry[] {
  const value = parsed(text, file, 'line 1');
  if (!Array.isArray(value)) throw malformed(file, 'it must be an array of texts or objects', '');
  return value.map((item: unknown, at) => ({ where: `item ${at + 1}`, value: item }));
}

function tableEntries(text: string, file: string): Entry[] {
  const [header, ...rows] = linesOf(text);
  if (header === undefined) return [];
  const names = header.line.split('\t');
  return rows.map(({ where, line }) => {
    const cells = line.split('\t');
    if (cells.length !== names.length) {
      const found = `${cells.length} columns, the first line names ${names.length}`;
      throw malformed(file, `${where} has ${found}`, where);
    }
    return { where, value: Object.fromEntries(names.map((name, i) => [name, cells[i]])) };
  });
}

function parsed(text: string, file: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw malformed(file, `${where} is not JSON: ${error.message}`, where);
  }
}

function malformed(file: string, problem: string, value: string): LatheError {
  return new LatheError('file_malformed', `${problem} (${file})`, { file, value });
}

/** Texts, none of them blank. */
function isList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string' && one.trim() !== '');
}

/** Takes the fields of one record, or says what is wrong with it. */
class Reader {
  readonly #entry: Entry;
  readonly #file: string;
  readonly #kind: DataKind;
  readonly #fields: Readonly<Record<string, string>>;

  constructor(
    entry: Entry,
    file: string,
    kind: DataKind,
    fields: Readonly<Record<string, string>>,
  ) {
    this.#entry = entry;
    this.#file = file;
    this.#kind = kind;
    this.#fields = fields;
  }

  /** A text that is not blank. */
  text(name: string): string {
    const value = this.#field(name);
    if (typeof value !== 'string') throw this.#fault(`"${name}" is no text`);
    if (value.trim() === '') throw this.#fault(`"${name}" is empty`);
    return value;
  }

  choice(): ChoiceItem {
    const context = this.#field('context');
    if (typeof context !== 'string') throw this.#fault('"context" is no text');
    const choices: unknown = this.#field('choices');
    if (!isList(choices) || choices.length < 2) {
      throw this.#fault('"choices" must be a list of two or more texts');
    }
    const answer = this.#field('answer');
    if (typeof answer !== 'number' || !Number.isInteger(answer) || !(answer in choices)) {
      const wanted = `an index below ${choices.length}`;
      throw this.#fault(`"answer" must be ${wanted}: ${JSON.stringify(answer)}`);
    }
    return { context, choices, answer };
  }

  #field(name: string): unknown {
    const { value } = this.#entry;
    const given = this.#fields[name];
    if (typeof value === 'string' && name === 'text' && given === undefined) return value;
    if (typeof value !== 'object' || value === null) throw this.#fault('is no object with fields');
    const names = given === undefined ? aliases[name] : [given];
    const found = names.find((one) => Object.hasOwn(value, one));
    if (found === undefined) {
      const wanted = `has no field "${given ?? name}", which ${this.#kind} have`;
      throw this.#fault(`${wanted}; it has ${namesIn(value)}`);
    }
    return Object.entries(value).find(([key]) => key === found)?.[1];
  }

  #fault(problem: string): LatheError {
    const { where } = this.#entry;
    const text = problem.startsWith('"') ? `${where}: ${problem}` : `${where} ${problem}`;
    return malformed(this.#file, text, where);
  }
}

/** The first fields of an item, as far as a message has room for them. */
function namesIn(item: object): string {
  const names = Object.keys(item);
  const shown = names.slice(0, 8).map((name) => JSON.stringify(name.slice(0, 40)));
  if (shown.length === 0) return 'none';
  return shown.join(', ') + (names.length > shown.length ? ', …' : '');
}
