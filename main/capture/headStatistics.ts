import { LatheError } from '../../preload/contract/errors.ts';
import type { HeadStatistics } from '../../preload/contract/inspect/capture.ts';
import type { Captured } from './captured.ts';
import type { PatternRows, Patterns } from './patterns.ts';

/**
 * How every head spreads its attention p(i, j) over a text. The first token can look nowhere but at
 * itself, so positions count from the second on (i = 1 …); a text of one token gives zeros.
 *
 * - `entropy`: mean of −Σⱼ p log₂ p, in bits (Clark et al. 2019, arXiv 1906.04341).
 * - `distance`: mean of Σⱼ p · (i − j), in tokens (Vig and Belinkov 2019, arXiv 1906.04284).
 * - `previous`: mean of p(i, i − 1); `self`: of p(i, i).
 * - `sink`: mean of p(i, 0) (Xiao et al. 2023, arXiv 2309.17453).
 * - `induction`: mean of Σ p(i, j + 1) over all earlier places j < i − 1 of the same token, of those i
 *   that have one (prefix matching; Olsson et al. 2022, arXiv 2209.11895).
 * - `duplicate`: mean of Σ p(i, j) over all earlier places j of the same token, likewise (Wang et al.
 *   2022, arXiv 2211.00593).
 * - `positional`: the share of the variance of p over all pairs that distances explain: 1 where
 *   p(i, j) is a function of i − j.
 *
 * Throws `values_not_finite` where a pattern holds NaN, as it does behind broken weights.
 */
export async function headStatistics(
  captured: Captured,
  patterns: Patterns,
  signal?: AbortSignal,
): Promise<HeadStatistics[]> {
  const { ids, layers } = captured;
  const earlier = earlierPlaces(ids);
  const result: HeadStatistics[] = [];
  for (const [layer, { heads }] of layers.entries()) {
    const sums = Array.from({ length: heads }, () => new HeadSums(earlier));
    await patterns.each(
      captured,
      layer,
      (block) => {
        for (const [head, sum] of sums.entries()) sum.add(block, head);
      },
      { signal },
    );
    const broken = sums.findIndex((sum) => !sum.isFinite());
    if (broken >= 0) {
      throw new LatheError(
        'values_not_finite',
        `the model gave attention that is not finite: layer ${layer}, head ${broken}`,
        { node: `blocks.${layer}.attn.pattern` },
      );
    }
    result.push(...sums.map((sum, head) => ({ layer, head, ...sum.statistics() })));
  }
  return result;
}

/** For every position the earlier ones of the same token, the nearest last. */
function earlierPlaces(ids: readonly number[]): number[][] {
  const places = new Map<number, number[]>();
  return ids.map((id, position) => {
    const before = places.get(id) ?? [];
    places.set(id, [...before, position]);
    return before;
  });
}

/** Smaller probabilities add less than 10⁻⁸ bits to an entropy, but take as long. */
const NEGLIGIBLE = 1e-10;

class HeadSums {
  private readonly earlier: readonly (readonly number[])[];
  private readonly byDistance: Float64Array;
  private readonly counts: Float64Array;
  private squares = 0;
  private entropy = 0;
  private distance = 0;
  private previous = 0;
  private self = 0;
  private sink = 0;
  private readonly induction = { sum: 0, count: 0 };
  private readonly duplicate = { sum: 0, count: 0 };

  constructor(earlier: readonly (readonly number[])[]) {
    this.earlier = earlier;
    this.byDistance = new Float64Array(earlier.length);
    this.counts = new Float64Array(earlier.length);
  }

  add({ first, rows, keys, data }: PatternRows, head: number): void {
    for (let row = first === 0 ? 1 : 0; row < rows; row++) {
      const start = (head * rows + row) * keys;
      this.addRow(data.subarray(start, start + first + row + 1), first + row);
    }
  }

  private addRow(row: Float32Array, position: number): void {
    const { byDistance, counts } = this;
    let nats = 0;
    let distance = 0;
    let squares = 0;
    for (let key = 0; key <= position; key++) {
      const p = row[key];
      const back = position - key;
      if (p > NEGLIGIBLE) nats -= p * Math.log(p);
      distance += p * back;
      squares += p * p;
      byDistance[back] += p;
      counts[back]++;
    }
    this.entropy += nats / Math.LN2;
    this.distance += distance;
    this.squares += squares;
    this.previous += row[position - 1];
    this.self += row[position];
    this.sink += row[0];
    const places = this.earlier[position];
    gather(this.duplicate, row, places);
    const followers = places.filter((place) => place < position - 1).map((place) => place + 1);
    gather(this.induction, row, followers);
  }

  isFinite(): boolean {
    return Number.isFinite(this.squares);
  }

  statistics(): Omit<HeadStatistics, 'layer' | 'head'> {
    const positions = Math.max(1, this.earlier.length - 1);
    return {
      entropy: this.entropy / positions,
      distance: this.distance / positions,
      previous: this.previous / positions,
      self: this.self / positions,
      sink: this.sink / positions,
      induction: meanOf(this.induction),
      duplicate: meanOf(this.duplicate),
      positional: this.explained(),
    };
  }

  /** 1 − Σ (p − mean of its distance)² / Σ (p − mean)². */
  private explained(): number {
    let sum = 0;
    let pairs = 0;
    let between = 0;
    this.byDistance.forEach((total, back) => {
      if (this.counts[back] === 0) return;
      sum += total;
      pairs += this.counts[back];
      between += total ** 2 / this.counts[back];
    });
    if (pairs === 0) return 0;
    const all = this.squares - sum ** 2 / pairs;
    const within = this.squares - between;
    // Without any variance there is nothing to explain.
    return all <= 1e-12 * this.squares ? 0 : Math.min(1, Math.max(0, 1 - within / all));
  }
}

interface Mean {
  sum: number;
  count: number;
}

function gather(mean: Mean, row: Float32Array, places: readonly number[]): void {
  if (places.length === 0) return;
  for (const place of places) mean.sum += row[place];
  mean.count++;
}

const meanOf = ({ sum, count }: Mean): number | null => (count === 0 ? null : sum / count);
