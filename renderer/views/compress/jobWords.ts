import type { JobState, CompressSummary } from '../../../preload/contract/index.ts';
import { passTitles } from '../../state/passes.ts';
import type { DotKind } from '../../ui/Dot.tsx';
import { formatRemaining } from '../../ui/format.ts';

/** A state as it is shown. */
export const jobStates: Readonly<Record<JobState, { text: string; dot: DotKind }>> = {
  queued: { text: 'Queued', dot: 'off' },
  running: { text: 'Running', dot: 'busy' },
  finished: { text: 'Finished', dot: 'good' },
  failed: { text: 'Failed', dot: 'bad' },
  cancelled: { text: 'Cancelled', dot: 'off' },
  interrupted: { text: 'Interrupted', dot: 'bad' },
};

/** What a job is doing now: pass, layer, time left. */
export function doing({ state, progress, recipe }: CompressSummary): string {
  if (state !== 'running') return '';
  if (!progress) return 'Starting';
  const { step, detail, remainingMs } = progress;
  const pass = step === null ? undefined : recipe.passes[step];
  return [
    pass && `Pass ${(step ?? 0) + 1} of ${recipe.passes.length}, ${passTitles[pass.pass].title}`,
    detail,
    remainingMs !== undefined && `${formatRemaining(remainingMs)} left`,
  ]
    .filter(Boolean)
    .join(' · ');
}
