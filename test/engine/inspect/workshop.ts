import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRouterClient } from '@orpc/server';
import { createEngine } from '../../../main/engine/engine.ts';
import { fromOrpc } from '../../../main/engine/errors.ts';
import { forkNode } from '../../../main/engine/runner/forkNode.ts';
import type { EngineClient, ModelRecord, RecipeInput } from '../../../preload/contract/index.ts';
import { recipeSchema } from '../../../preload/contract/recipe.ts';

/** An engine with real runners over a library of its own. */
export interface TestWorkshop {
  readonly root: string;
  readonly client: EngineClient;
  /** Imports a folder. */
  import(folder: string, name: string): Promise<ModelRecord>;
  /** Makes a variant; gives its name. */
  compress(model: string, recipe: RecipeInput): Promise<string>;
  close(): Promise<void>;
}

export async function openWorkshop(): Promise<TestWorkshop> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'lathe-inspect-')));
  const startRunner = forkNode(new URL('../../../main/engine/runner/entry.ts', import.meta.url));
  const engine = await createEngine({ home: join(root, 'home'), startRunner, threads: 1 });
  const client: EngineClient = createRouterClient(engine.router);
  return {
    root,
    client,
    async import(path, name) {
      for await (const event of await client.models.import({ path, name })) {
        if (event.kind === 'done') return event.model;
      }
      throw new Error('the import did not end');
    },
    async compress(model, recipe) {
      const { ids } = await client.compress.start({ model, recipes: [recipeSchema.parse(recipe)] });
      for await (const event of await client.jobs.watch({ id: ids[0] })) void event;
      const job = await client.jobs.get({ id: ids[0] });
      if (job.kind !== 'compress' || job.state !== 'finished') {
        throw new Error(`no variant was made: ${job.error?.message}`);
      }
      return job.name;
    },
    async close() {
      await engine.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

/** The last event of a stream, which holds its result. */
export async function lastOf<T extends { kind: string }>(
  events: Promise<AsyncIterable<T>>,
): Promise<Extract<T, { kind: 'done' }>> {
  let last: T | undefined;
  for await (const event of await events) last = event;
  if (last?.kind !== 'done') throw new Error(`the stream ended with: ${last?.kind}`);
  return last as Extract<T, { kind: 'done' }>;
}

/** The code of a failure, or `none`. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (error: unknown) => fromOrpc(error).code,
  );
}

export const completion = (text: string) => ({ kind: 'completion' as const, text });

/** The cosine of the angle between two vectors, in float64. */
export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [product, own, other] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    product += a[i] * b[i];
    own += a[i] * a[i];
    other += b[i] * b[i];
  }
  return product / Math.sqrt(own * other);
}
