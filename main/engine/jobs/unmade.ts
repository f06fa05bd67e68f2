import { LatheError } from '../../../preload/contract/errors.ts';
import type { Core } from '../core.ts';

/**
 * Throws where a variant is not there because the job that was to make it did not: with what that
 * one failed of, so that a job which can be resumed leaves those behind it resumable, too.
 */
export function refuseUnmade({ library }: Core, model: string): void {
  if (!model.includes('/') || library.models.find(model) !== null) return;
  for (const job of library.jobs.list()) {
    if (job.kind !== 'compress' || job.name !== model) continue;
    if (job.state === 'finished') return;
    const { error, state } = job;
    const reason = error?.message ?? `its job was ${state}`;
    const message = `${model} was not made: ${reason}`;
    throw new LatheError(error?.code ?? 'not_found', message, error?.data ?? { value: model });
  }
}
