import { readFileSync } from 'node:fs';
import { createRouterClient } from '@orpc/server';
import { createEngine } from '../../../main/engine/engine.ts';
import { forkNode } from '../../../main/engine/runner/forkNode.ts';

/** A process that compresses a model, to be killed; says on stdout how far it is. */
const [, , home = '', model = '', recipeFile = ''] = process.argv;
const startRunner = forkNode(new URL('../../../main/engine/runner/entry.ts', import.meta.url));
const { router } = await createEngine({ home, startRunner, threads: 1 });
const client = createRouterClient(router);
const recipe = JSON.parse(readFileSync(recipeFile, 'utf8'));
const { ids } = await client.compress.start({ model, recipes: [recipe] });
for await (const event of await client.jobs.watch({ id: ids[0] ?? '' })) {
  process.stdout.write(`${event.kind}\n`);
}
process.exit(0);
