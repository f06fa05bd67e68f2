import { createRouterClient } from '@orpc/server';
import { createEngine } from '../../main/engine/engine.ts';
import { forkNode } from '../../main/engine/runner/forkNode.ts';

/** A process that imports a model, to be killed. */
const [, , home = '', path = '', name = ''] = process.argv;
const startRunner = forkNode(new URL('./fakeRunner.ts', import.meta.url));
const { router } = await createEngine({ home, startRunner });
const events = await createRouterClient(router).models.import({ path, name });
// Importing goes on while its events are read.
while (!(await events.next()).done);
process.exit(0);
