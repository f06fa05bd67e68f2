import { step } from './options.ts';

/** Passes that write the same model in another form. */
export const formSteps = [
  step('fuse', 'Turns any graph of the Llama kind into the fused form, which is fast.', {}),
  step('unfuse', 'Turns the fused form into plain operators, which show every inner value.', {}),
] as const;
