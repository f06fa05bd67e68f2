import type { Step } from '../../preload/contract/recipe.ts';
import type { Pass, Passes } from './pass.ts';

/** Every pass by the name that recipes give it; each takes the step of its own name. */
const passes: Passes = {};

/** The pass that a step asks for; undefined where there is none of that name. */
export function passOf(step: Step, among: Passes = passes): Pass | undefined {
  return among[step.pass];
}
