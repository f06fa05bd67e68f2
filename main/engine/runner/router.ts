/** Everything the engine may ask of a runner. */
export const runnerRouter = {};
