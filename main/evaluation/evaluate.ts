import * as z from 'zod';
import {
  metrics as facts,
  type DataKind,
  type Measurement,
  type Metric,
} from '../../preload/contract/evaluation.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import { isRight, isRightPerByte, readChoices } from './choices.ts';
import { tooLong } from './continuation.ts';
import { continueGreedily } from './continueGreedily.ts';
import { limited, type DataSet, type DocumentItem } from './dataset.ts';
import { documentSums } from './documentMetrics.ts';
import { readDocument, startedIds } from './documents.ts';
import { readingCodecs, type Kept } from './kept.ts';
import { readLastWord } from './lastWord.ts';
import type { TextModel } from './logitSource.ts';
import { measured, type Sums } from './measurement.ts';
import { prefersGood } from './minimalPairs.ts';
import { needsBase, protocolOf, windowFor, type ProtocolOptions } from './protocols.ts';
import { checkReads } from './reads.ts';
import { textSums } from './textMetrics.ts';
import type { WindowOptions } from './windows.ts';

/** The models: one to be measured and perhaps one to compare it with. */
export interface Subjects {
  readonly model: TextModel;
  readonly base: TextModel | null;
}

interface EvaluateOptions {
  /** Fraction of the items done, and the one that is read. */
  readonly onProgress?: ((fraction: number, detail: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Where readings are kept; those that are there already are not read again. */
  readonly kept?: Kept | undefined;
}

/** What an item is called, by the kind of data. */
const itemNames: Readonly<Record<DataKind, string>> = {
  documents: 'text',
  choices: 'question',
  pairs: 'sentence pair',
  continuations: 'prompt',
};

/**
 * Measures a model on a data set, all metrics in one reading of it, item by item: the base reads
 * each item right after the model, and no logits are kept. Throws `usage` where a metric does not
 * fit data or models, `context_overflow` for an item that does not fit the context, `cancelled`.
 */
export async function evaluate(
  subjects: Subjects,
  all: DataSet,
  request: ProtocolOptions,
  { onProgress, signal, kept }: EvaluateOptions = {},
): Promise<Map<Metric, Measurement>> {
  const { model, base } = subjects;
  const data = limited(all, request.limit);
  checkFit(request.metrics, data, base !== null);
  const decoders = base === null ? [model.decoder] : [model.decoder, base.decoder];
  const windows = windowFor(decoders.map(({ capacity }) => capacity));
  const each: Each = async (items, codec, read) => {
    const readings = (kept?.readings ?? []).map((reading) => z.decode(codec, reading));
    const tell = (fraction: number): void => {
      const item = Math.min(readings.length + 1, items.length);
      const detail = `${itemNames[data.kind]} ${item} of ${items.length}`;
      onProgress?.((readings.length + fraction) / items.length, detail);
    };
    for (const item of items.slice(readings.length)) {
      if (signal?.aborted) throw new LatheError('cancelled', 'the measurement was cancelled');
      const reading = await read(item, tell);
      kept?.add(z.encode(codec, reading));
      readings.push(reading);
      tell(0);
    }
    return readings;
  };
  const options = { ...request, ...windows, signal };
  const sumsOf =
    data.kind === 'documents'
      ? await readDocuments(subjects, data.items, each, options)
      : await readItems(subjects, data, each, options);
  return new Map(
    request.metrics.map((metric) => {
      const protocol = protocolOf(metric, request, windows);
      return [metric, { ...measured(metric, sumsOf(metric), request.seed), protocol }];
    }),
  );
}

/** Reads items one by one; `codec` is how a reading is kept. */
type Each = <Item, Reading>(
  items: readonly Item[],
  codec: z.ZodType<Reading>,
  read: (item: Item, onPart: (fraction: number) => void) => Promise<Reading>,
) => Promise<Reading[]>;

interface ReadOptions extends WindowOptions {
  readonly metrics: readonly Metric[];
  readonly long: 'slide' | 'refuse';
  readonly signal: AbortSignal | undefined;
}

async function readDocuments(
  { model, base }: Subjects,
  items: readonly DocumentItem[],
  each: Each,
  options: ReadOptions,
): Promise<(metric: Metric) => Sums> {
  const models = base === null ? [model] : [model, base];
  const readings = await each(items, readingCodecs.documents, ({ text }, onProgress) => {
    if (options.long === 'refuse') refuseLong(models, text);
    return readDocument(model, base, text, { ...options, onProgress });
  });
  return (metric) => {
    checkReads(metric, 'documents');
    return documentSums(metric, readings);
  };
}

/** Reads items that each model answers for itself; gives what each metric makes of the answers. */
async function readItems(
  { model, base }: Subjects,
  data: Exclude<DataSet, { kind: 'documents' }>,
  each: Each,
  { metrics, ...options }: ReadOptions,
): Promise<(metric: Metric) => Sums> {
  const both = async <Item, Reading>(
    items: readonly Item[],
    codec: z.ZodType<{ own: Reading; other: Reading[] }>,
    read: (of: TextModel, item: Item) => Promise<Reading>,
  ): Promise<Both<Reading>> => {
    const pairs = await each(items, codec, async (item) => {
      const own = await read(model, item);
      return { own, other: base === null ? [] : [await read(base, item)] };
    });
    return {
      model: pairs.map(({ own }) => own),
      base: base && pairs.flatMap(({ other }) => other),
    };
  };
  switch (data.kind) {
    case 'choices': {
      const read = await both(data.items, readingCodecs.choices, (of, item) =>
        readChoices(of, item, options),
      );
      return (metric) => {
        checkReads(metric, data.kind);
        return shares(read, { accuracy: isRight, 'accuracy-norm': isRightPerByte }[metric]);
      };
    }
    case 'pairs': {
      const read = await both(data.items, readingCodecs.pairs, (of, item) =>
        prefersGood(of, item, options),
      );
      return () => shares(read, (isGood) => isGood);
    }
    case 'continuations': {
      const needsWord = metrics.includes('last-word');
      const needsText = metrics.some((metric) => metric !== 'last-word');
      const read = await both(data.items, readingCodecs.continuations, async (of, item) => ({
        isRight: needsWord && (await readLastWord(of, item, options)).isGreedy,
        text: needsText ? await continueGreedily(of, item, options) : '',
      }));
      const expected = data.items.map(({ continuation }) => continuation);
      return (metric) => {
        checkReads(metric, data.kind);
        if (metric === 'last-word') return shares(read, (one) => one.isRight);
        return textSums(metric, expected, texts(read.model), read.base && texts(read.base));
      };
    }
  }
}

/** What both models made of the items. */
interface Both<Reading> {
  readonly model: readonly Reading[];
  readonly base: readonly Reading[] | null;
}

/** The share of items for which something holds. */
function shares<Reading>(read: Both<Reading>, holds: (reading: Reading) => boolean): Sums {
  const rows = (readings: readonly Reading[]): number[][] =>
    readings.map((reading) => [holds(reading) ? 1 : 0, 1]);
  return { model: rows(read.model), base: read.base && rows(read.base), figure: ratio };
}

const texts = (readings: readonly { text: string }[]): string[] => readings.map(({ text }) => text);

const ratio = ([part, whole]: readonly number[]): number => part / whole;

function checkFit(names: readonly Metric[], { kind }: DataSet, hasBase: boolean): void {
  for (const name of names) {
    checkReads(name, kind);
    if (facts[name].needsBase && !hasBase) throw needsBase(name);
  }
}

function refuseLong(models: readonly TextModel[], text: string): void {
  for (const { decoder, tokenizer } of models) {
    const { length } = startedIds(tokenizer, text);
    if (length - 1 > decoder.capacity) throw tooLong(length, decoder.capacity);
  }
}
