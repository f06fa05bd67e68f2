import { calibrationError, calibrationSums } from './calibrationError.ts';
import { agreements, divergence, firstDivergence } from './divergence.ts';
import type { DocumentReading, TokenReadings } from './documents.ts';
import type { Sums } from './measurement.ts';
import { decileLosses, decileSums, frequencyDeciles, rareLoss } from './rareTokens.ts';
import type { MetricOf } from './reads.ts';
import { columnSums } from './statistics.ts';
import { perplexityDelta, sumOf } from './tokenLoss.ts';

/** What a metric makes of texts that were read. */
export function documentSums(
  metric: MetricOf<'documents'>,
  readings: readonly DocumentReading[],
): Sums {
  const tokens = readings.reduce((sum, { model }) => sum + model.nats.length, 0);
  /** The same row of numbers of both models. */
  const both = (row: (of: TokenReadings, reading: DocumentReading) => number[]) => ({
    model: readings.map((reading) => row(reading.model, reading)),
    base: readings.some(({ base }) => base === null)
      ? null
      : readings.map((reading) => row(reading.base ?? reading.model, reading)),
  });
  /** A row of what lies between the models. */
  const between = (row: (reading: DocumentReading) => number[]) => ({
    model: readings.map(row),
    base: null,
  });
  switch (metric) {
    case 'perplexity':
      return {
        ...both(({ nats }) => [sumOf(nats), nats.length]),
        figure: ([nats, count]) => Math.exp(nats / count),
        details: { tokens },
      };
    case 'bits-per-byte':
      return {
        ...both(({ nats }, { bytes }) => [sumOf(nats), bytes]),
        figure: ([nats, bytes]) => nats / Math.LN2 / bytes,
        details: { tokens, bytes: readings.reduce((sum, { bytes }) => sum + bytes, 0) },
      };
    case 'rare-token-loss': {
      const deciles = frequencyDeciles(readings.map(({ model }) => model.ids));
      const rows = both((of) => decileSums(of, deciles));
      const all = columnSums(rows.model);
      return { ...rows, figure: rareLoss(all), details: { tokens, deciles: decileLosses(all) } };
    }
    case 'calibration-error':
      return { ...both(calibrationSums), figure: calibrationError, details: { tokens } };
    case 'kl': {
      const { median, p99, max } = divergence(readings);
      return {
        ...between((reading) => [sumOf(reading.kl), positions(reading)]),
        figure: ratio,
        details: { tokens, median, p99, max },
      };
    }
    case 'top-1':
      return {
        ...between((reading) => [agreements(reading), positions(reading)]),
        figure: ratio,
        details: { tokens },
      };
    case 'delta-perplexity': {
      const { lnRatio, differenceError, lnRatioError } = perplexityDelta(readings);
      return {
        ...between(({ model, base }) => [
          sumOf(model.nats),
          sumOf(base?.nats ?? model.nats),
          model.nats.length,
        ]),
        figure: ([own, other, count]) => Math.exp(own / count) - Math.exp(other / count),
        details: {
          tokens,
          lnRatio,
          // A single token has no spread.
          ...(tokens > 1 && { lnRatioError, standardError: differenceError }),
        },
      };
    }
    case 'first-divergence':
      return {
        // A text without one counts with its length: the models shared at least so much.
        ...between((reading) => [firstDivergence(reading) ?? positions(reading), 1]),
        figure: ratio,
        details: {
          tokens,
          never: readings.filter((reading) => firstDivergence(reading) === null).length,
        },
      };
  }
}

const positions = (reading: DocumentReading): number => reading.model.nats.length;

const ratio = ([part, whole]: readonly number[]): number => part / whole;
