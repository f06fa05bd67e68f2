import { metrics, type EvaluateRequest, type Metric } from '../../preload/contract/evaluation.ts';
import { LatheError } from '../../preload/contract/errors.ts';
import { bleuSignature } from './bleu.ts';
import { calibrationBins } from './calibrationError.ts';
import { chrfSignature } from './chrf.ts';
import type { DataFormat } from './dataset.ts';
import { perplexityProtocol } from './perplexity.ts';
import type { WindowOptions } from './windows.ts';

/** What decides a value besides models and data. */
export type ProtocolOptions = Pick<
  EvaluateRequest,
  'metrics' | 'limit' | 'long' | 'seed' | 'fields'
>;

/** Longest window: long enough for context to tell, short enough to be quick. */
const longestWindow = 512;

/** Windows of half new tokens, as wide as the contexts of all models concerned allow. */
export function windowFor(contextLengths: readonly number[]): WindowOptions {
  const window = Math.min(longestWindow, ...contextLengths);
  return { window, stride: Math.max(1, Math.floor(window / 2)) };
}

/** How the data of a request is read. Throws `usage` where its metrics need different kinds. */
export function formatOf({ metrics: names, fields }: ProtocolOptions): DataFormat {
  const kinds = new Set(names.map((name) => metrics[name].reads));
  const [kind, other] = kinds;
  if (other === undefined) return { kind, fields };
  const list = names.map((name) => `${name} reads ${metrics[name].reads}`).join(', ');
  throw new LatheError('usage', `metrics of one request must read the same kind of data: ${list}`);
}

/** Throws `usage` for metrics that need different kinds of data, or a base where there is none. */
export function checkMetrics(request: ProtocolOptions & Pick<EvaluateRequest, 'against'>): void {
  formatOf(request);
  const needing = request.metrics.find((name) => metrics[name].needsBase);
  if (needing !== undefined && request.against === undefined) throw needsBase(needing);
}

export function needsBase(metric: Metric): LatheError {
  return new LatheError('usage', `a model to compare with is needed for this metric: ${metric}`, {
    value: metric,
    next: ['choose-model'],
  });
}

/**
 * Says how a metric is measured, in full: values of different protocols are not to be compared, and
 * a value is found again by it.
 */
export function protocolOf(
  metric: Metric,
  options: ProtocolOptions,
  windows: WindowOptions,
): string {
  const { limit, long, seed, fields } = options;
  const map = Object.entries(fields).map(([name, field]) => `${name}=${field}`);
  return [
    method(metric, windows),
    `long=${long}`,
    ...(limit === undefined ? [] : [`first=${limit}`]),
    ...(map.length === 0 ? [] : [`fields=${map.toSorted().join(',')}`]),
    `bootstrap=1000/seed=${seed}`,
  ].join('/');
}

function method(metric: Metric, windows: WindowOptions): string {
  const tokens = perplexityProtocol(windows);
  switch (metric) {
    case 'perplexity':
    case 'bits-per-byte':
    case 'top-1':
    case 'delta-perplexity':
    case 'first-divergence':
      return tokens;
    case 'kl':
      return `nats,base-first/${tokens}`;
    case 'rare-token-loss':
      return `nats,rarest-decile/${tokens}`;
    case 'calibration-error':
      return `bins=${calibrationBins}/${tokens}`;
    case 'accuracy':
      return 'sum-logprob-1';
    case 'accuracy-norm':
      return 'sum-logprob-per-byte-1';
    case 'minimal-pairs':
      return 'whole-sentences-1';
    case 'last-word':
      return 'greedy-last-word-1';
    case 'exact-match':
    case 'f1':
      return 'squad-words/greedy-reference-length-1';
    case 'bleu':
      return `${bleuSignature}/greedy-reference-length-1`;
    case 'chrf':
      return `${chrfSignature}/greedy-reference-length-1`;
  }
}
