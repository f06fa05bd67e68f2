import { ActionIcon, Tooltip } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import type { ModelRecord, RunnerState } from '../../../preload/contract/index.ts';
import { modelKey } from '../../state/models.ts';
import type { DotKind } from '../../ui/Dot.tsx';
import { ViewHead } from '../../ui/ViewHead.tsx';
import { modelFacts, ModelSelect } from '../ModelSelect.tsx';
import { OpenFolder } from '../OpenFolder.tsx';
import { usePart, useStudio } from '../studioContext.ts';

/** Which model answers and whether it is loaded, and whether the history is shown. */
export function Header() {
  const { draft, models, navigation, runners } = useStudio();
  const chosen = usePart(draft.store, (state) => state.model);
  const known = usePart(models.store, (state) => state.models);
  const held = usePart(runners.store, (state) => state.runners);
  const current = known?.find((record) => modelKey(record) === chosen);
  const historyOpen = usePart(navigation.store, (state) => state.historyOpen);
  const label = historyOpen ? 'Hide history' : 'Show history';
  return (
    <ViewHead title="Playground" facts={current ? factsOf(current, held) : []}>
      <Tooltip label={label}>
        <ActionIcon
          size="md"
          aria-label={label}
          aria-pressed={historyOpen}
          variant={historyOpen ? 'light' : 'subtle'}
          onClick={() => navigation.toggleHistory()}
        >
          <IconHistory size={16} stroke={1.5} />
        </ActionIcon>
      </Tooltip>
      {known?.length === 0 ? (
        <OpenFolder />
      ) : (
        <ModelSelect
          label="Model"
          value={chosen}
          dot={(record) => stateOf(record, held).dot}
          onChange={(model) => draft.change({ model })}
        />
      )}
    </ViewHead>
  );
}

const factsOf = (record: ModelRecord, held: readonly RunnerState[]): readonly string[] => [
  stateOf(record, held).text,
  ...modelFacts(record),
];

function stateOf(
  record: ModelRecord,
  runners: readonly RunnerState[],
): { dot: DotKind; text: string } {
  const runner = runners.find(({ model }) => model === record.name || model === modelKey(record));
  switch (runner?.kind) {
    case 'loading':
      return { dot: 'busy', text: 'loading' };
    case 'ready':
    case 'busy':
      return { dot: 'good', text: 'loaded' };
    case 'dead':
      return { dot: 'bad', text: 'ended' };
    case 'unloaded':
    case undefined:
      return { dot: 'off', text: 'not loaded' };
  }
}
