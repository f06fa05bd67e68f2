import { readFileSync, writeFileSync } from 'node:fs';
import { cachedGraph, graphFile } from '../../main/library/graphs.ts';

/** Builds a graph that takes a while to write, and tells what it finds in the cache afterwards. */
const [, , root = '', letter = ''] = process.argv;
const folder = await cachedGraph(root, 'key', async (temporary) => {
  for (let step = 1; step <= 10; step++) {
    writeFileSync(graphFile(temporary), letter.repeat(step * 100_000));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
});
process.send?.(readFileSync(graphFile(folder), 'utf8'));
