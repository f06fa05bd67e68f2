import type { NextStep } from '../../../../preload/contract/index.ts';
import type { Failure } from '../../../state/failure.ts';
import { ErrorPanel } from '../../../ui/ErrorPanel.tsx';
import { tell } from '../../../ui/notify.tsx';
import { useStudio } from '../../studioContext.ts';

interface Step {
  label: string;
  run: () => void;
}

interface TroubleProps {
  failure: Failure;
  retry: () => void;
  /** What else can be done here, before the usual. */
  steps?: readonly Step[];
}

/** Why there is no picture, and what can be done about it. */
export function Trouble({ failure, retry, steps = [] }: TroubleProps) {
  const { navigation, settings, host } = useStudio();
  const { code, message, data } = failure;
  const report = async (): Promise<void> => {
    const { info } = settings.store.getState();
    await host.copy(JSON.stringify({ code, message, data, info }, null, 2));
    tell('Report copied');
  };
  const stepOf = (step: NextStep): Step => {
    switch (step) {
      case 'retry':
        return { label: 'Run again', run: retry };
      case 'open-folder':
        return { label: 'Open folder…', run: () => navigation.open('folder') };
      case 'choose-model':
        return { label: 'Choose a model', run: () => focus('[aria-label="Model"]') };
      case 'shorten-prompt':
        return { label: 'Shorten the prompt', run: () => focus('[aria-label="Prompt"]') };
      case 'restart-engine':
        return { label: 'Reload the window', run: () => window.location.reload() };
      case 'report':
        return { label: 'Copy a report', run: () => void report() };
    }
  };
  const usual = [...new Set<NextStep>([...(data.next ?? []), 'retry'])].map(stepOf);
  return <ErrorPanel failure={failure} steps={[...steps, ...usual]} />;
}

function focus(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.focus();
}
