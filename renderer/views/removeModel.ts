import type { ModelRecord } from '../../preload/contract/index.ts';
import { toFailure } from '../state/failure.ts';
import type { Models } from '../state/models.ts';
import { offerUndo, tellFailure } from '../ui/notify.tsx';

/** Moves a model to the trash, or closes its folder, and offers to take it back. */
export async function removeModel(models: Models, record: ModelRecord): Promise<void> {
  try {
    const restore = await models.remove(record);
    const where = record.source === 'folder' ? 'closed' : 'moved to the trash';
    offerUndo({ message: `${record.name} ${where}`, undo: () => void restore() });
  } catch (error) {
    tellFailure(toFailure(error).message);
  }
}
