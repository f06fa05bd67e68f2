import { LatheError } from '../../preload/contract/errors.ts';
import { matchTargets } from '../../preload/contract/targets.ts';
import { floatLinears, type Decoder } from './decoder.ts';
import type { FloatLinear } from './linear.ts';

/**
 * The linear layers that patterns choose, of those whose weights are still floats. Patterns are
 * held against the names of all layers; `usage` where none of the chosen is left in float.
 */
export function targetedLinears(decoder: Decoder, patterns: readonly string[]): FloatLinear[] {
  const chosen = new Set(
    matchTargets(
      decoder.linears.map(({ name }) => name),
      patterns,
    ),
  );
  const linears = floatLinears(decoder).filter(({ name }) => chosen.has(name));
  if (linears.length === 0) {
    const value = patterns.join(', ');
    const problem =
      chosen.size === 0 ? 'these leave no layer' : 'all these layers are stored in another form';
    throw new LatheError('usage', `${problem}: ${value}`, { value });
  }
  return linears;
}
