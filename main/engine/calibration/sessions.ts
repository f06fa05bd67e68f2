import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Session, type SessionOptions } from '../../inference/session.ts';
import type { Model } from '../../onnx/model.ts';
import { encodeModel, isLarge, liesIn, saveModel, weightsFolder } from '../../onnx/save.ts';
import { constantsIn } from '../../onnx/walk.ts';

/** Where and how parts of a graph are run. */
export interface SessionPlace extends SessionOptions {
  /** A folder for files that live as long as a session. */
  readonly scratch: string;
}

/** More large weights than this go through files, which the runtime maps instead of copying them twice. */
const MOST_BYTES_IN_MEMORY = 32 * 2 ** 20;

/** Loads a part of a graph, uses it and frees it; its files go too. */
export async function withSession<T>(
  model: Model,
  place: SessionPlace,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const { session, close } = await openPart(model, place);
  try {
    return await use(session);
  } finally {
    await close();
  }
}

/** Loads a part of a graph until `close`. */
export async function openPart(
  model: Model,
  place: SessionPlace,
): Promise<{ session: Session; close: () => Promise<void> }> {
  const { scratch, ...options } = place;
  // Weights that lie in files already stay there.
  const there = weightsFolder(model);
  let bytes = 0;
  for (const tensor of constantsIn(model.graph)) {
    const isThere = there !== null && liesIn(tensor, there);
    if (isLarge(tensor) && !isThere) bytes += tensor.bytes.length;
  }
  if (bytes <= MOST_BYTES_IN_MEMORY) {
    const graph = encodeModel(model, there ?? undefined);
    const weights = there === null ? {} : { weights: there };
    const session = await Session.fromBytes(graph, model.graph.name, { ...options, ...weights });
    return { session, close: () => session.close() };
  }
  mkdirSync(scratch, { recursive: true });
  const folder = mkdtempSync(join(scratch, 'part-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const file = join(folder, 'part.onnx');
    saveModel(model, file);
    const session = await Session.open(file, options);
    return {
      session,
      close: async () => {
        await session.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
