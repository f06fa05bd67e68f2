import { createRouterClient } from '@orpc/server';
import { createEngine } from '../../../main/engine/engine.ts';
import { forkNode } from '../../../main/engine/runner/forkNode.ts';
import { evaluateRequestSchema } from '../../../preload/contract/evaluation.ts';

/** A process that measures a model, to be killed. */
const [, , home = '', request = ''] = process.argv;
const startRunner = forkNode(new URL('../../../main/engine/runner/entry.ts', import.meta.url));
const { router } = await createEngine({ home, startRunner, threads: 1 });
const client = createRouterClient(router);
const requests = [evaluateRequestSchema.parse(JSON.parse(request))];
const { ids } = await client.evaluations.start({ requests });
for await (const event of await client.jobs.watch({ id: ids[0] ?? '' })) void event;
process.exit(0);
