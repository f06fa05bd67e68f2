import * as z from 'zod';
import { LatheError } from '../../preload/contract/errors.ts';

/** One event of the profiler of onnxruntime, as far as it matters; times are whole microseconds. */
const eventSchema = z.object({
  cat: z.string(),
  name: z.string(),
  ts: z.number(),
  dur: z.number().nonnegative(),
  args: z.object({ op_name: z.string().optional() }).optional(),
});
export type ProfileEvent = z.infer<typeof eventSchema>;

/**
 * A line of the profiler's file, which has one event per line; null where it holds none to use.
 * Throws `file_malformed`.
 */
export function eventOf(line: string): ProfileEvent | null {
  const text = line.trim().replace(/,$/, '');
  if (!text.startsWith('{')) return null;
  const { data } = eventSchema.safeParse(parse(text));
  if (data === undefined) return null;
  return isRun(data) || isKernel(data) ? data : null;
}

/** Whether an event is one run of the whole graph. */
export const isRun = ({ cat, name }: ProfileEvent): boolean =>
  cat === 'Session' && name === 'model_run';

const kernelSuffix = '_kernel_time';
const isKernel = ({ cat, name }: ProfileEvent): boolean =>
  cat === 'Node' && name.endsWith(kernelSuffix);

/** What one node took in some runs. */
export interface NodeTime {
  readonly node: string;
  readonly operator: string;
  readonly calls: number;
  readonly ms: number;
}

/**
 * Sums what nodes took over the runs from the `from`th to the one before the `to`th, in the order
 * in which they first ran. What runs inside another node, as in the branches of an If, is counted
 * with that one.
 */
export function nodeTimes(events: readonly ProfileEvent[], from: number, to: number): NodeTime[] {
  const inOrder = events.toSorted((a, b) => a.ts - b.ts || b.dur - a.dur);
  const runs = inOrder.filter(isRun).slice(from, to);
  const times = new Map<string, NodeTime>();
  let at = 0;
  let end = 0;
  for (const event of inOrder.filter(isKernel)) {
    while (at < runs.length && endOf(runs[at]) <= event.ts) at++;
    if (at === runs.length) break;
    if (event.ts < runs[at].ts) continue;
    // Times are rounded down: one that begins in the last microsecond may have begun behind it.
    if (event.ts < end - 1) continue;
    end = endOf(event);
    const node = event.name.slice(0, -kernelSuffix.length);
    const before = times.get(node);
    times.set(node, {
      node,
      operator: event.args?.op_name ?? '',
      calls: (before?.calls ?? 0) + 1,
      ms: (before?.ms ?? 0) + event.dur / 1000,
    });
  }
  return [...times.values()];
}

const endOf = ({ ts, dur }: ProfileEvent): number => ts + dur;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const value = text.slice(0, 80);
    throw new LatheError(
      'file_malformed',
      `not an event of the profiler: ${value}`,
      { value },
      { cause: error },
    );
  }
}
