import type { NextStep } from '../../../preload/contract/index.ts';
import type { Failure } from '../../state/failure.ts';
import { ErrorPanel } from '../../ui/ErrorPanel.tsx';
import { tell } from '../../ui/notify.tsx';
import { useStudio } from '../studioContext.ts';

/** Why the run broke off, with the next steps. The text streamed so far stays below it. */
export function Failed({ failure }: { failure: Failure }) {
  const { generation, navigation, settings, host } = useStudio();
  const { code, message, data } = failure;
  const report = async (): Promise<void> => {
    const { info } = settings.store.getState();
    await host.copy(JSON.stringify({ code, message, data, info }, null, 2));
    tell('Report copied');
  };
  const stepOf = (step: NextStep): { label: string; run: () => void } => {
    switch (step) {
      case 'retry':
        return { label: 'Run again', run: () => void generation.again() };
      case 'open-folder':
        return { label: 'Open folder…', run: () => navigation.open('folder') };
      case 'choose-model':
        return { label: 'Choose a model', run: () => focus('Model') };
      case 'shorten-prompt':
        return { label: 'Shorten the prompt', run: () => focus('Prompt') };
      case 'restart-engine':
        return { label: 'Reload the window', run: () => window.location.reload() };
      case 'report':
        return { label: 'Copy a report', run: () => void report() };
    }
  };
  const steps = new Set<NextStep>([...(data.next ?? []), 'retry']);
  return <ErrorPanel failure={failure} steps={[...steps].map(stepOf)} />;
}

/** Puts the keyboard into the field with this label. */
function focus(label: string): void {
  document.querySelector<HTMLElement>(`[aria-label="${label}"]`)?.focus();
}
