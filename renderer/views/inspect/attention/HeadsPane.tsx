import { SegmentedControl, Select, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useMemo, useState } from 'react';
import type { Capture, HeadStatistics } from '../../../../preload/contract/index.ts';
import {
  findHeads,
  statistics,
  type HeadSearch,
  type StatisticName,
} from '../../../state/heads.ts';
import { Loaded } from '../../Loaded.tsx';
import { useStudio } from '../../studioContext.ts';
import { useSlice } from '../useSlice.ts';
import parts from '../parts/parts.module.css';
import classes from './Attention.module.css';
import { HeadSheet } from './HeadSheet.tsx';
import { HeadTable } from './HeadTable.tsx';

type Mode = 'patterns' | 'statistic' | 'table';

/** All heads at once: as thumbnails, as one coloured value each, or as a table. */
export function HeadsPane({ capture }: { capture: Capture }) {
  const { inspect } = useStudio();
  const [mode, setMode] = useState<Mode>('patterns');
  const [name, setName] = useState<StatisticName>('induction');
  const [text, setText] = useState('');
  const sheet = useSlice(capture, ['sheet'], () => inspect.sheet(capture));
  // One process answers both: what is seen first is asked for first.
  const query = useSlice(capture, ['heads'], () => inspect.statistics(capture), !sheet.isPending);
  const search = useMemo(
    (): HeadSearch => (query.data ? findHeads(query.data, text) : { kind: 'all' }),
    [query.data, text],
  );
  const chosen = statistics.find((statistic) => statistic.name === name);
  return (
    <section aria-label="Heads" className={classes.pane}>
      <div className={parts.tools}>
        <SegmentedControl
          aria-label="What is shown of the heads"
          value={mode}
          onChange={setMode}
          data={[
            { value: 'patterns', label: 'Patterns' },
            { value: 'statistic', label: 'Statistic' },
            { value: 'table', label: 'Table' },
          ]}
        />
        {mode === 'statistic' && (
          <Select
            size="xs"
            aria-label="Statistic"
            className={classes.statistic}
            value={name}
            data={statistics.map((statistic) => ({
              value: statistic.name,
              label: statistic.title,
            }))}
            onChange={(next) => next && setName(next)}
          />
        )}
        <TextInput
          size="xs"
          className={classes.search}
          aria-label="Find heads that"
          placeholder="induction, sink > 0.8, layer 3 …"
          leftSection={<IconSearch size={14} stroke={1.5} />}
          value={text}
          error={search.kind === 'unclear'}
          onChange={(event) => setText(event.currentTarget.value)}
        />
      </div>
      <Found search={search} all={query.data ?? none} />
      {mode === 'table' ? (
        <Loaded query={query}>
          {(all) => (
            <HeadTable
              capture={capture}
              heads={search.kind === 'found' ? search.heads : all}
              isFound={search.kind === 'found'}
            />
          )}
        </Loaded>
      ) : (
        <Loaded query={sheet}>
          {({ data, size }) => (
            <HeadSheet
              capture={capture}
              data={data}
              size={size}
              statistic={mode === 'statistic' && chosen ? chosen : null}
              known={query.data ?? none}
              found={search.kind === 'found' ? search.heads : null}
            />
          )}
        </Loaded>
      )}
    </section>
  );
}

const none: readonly HeadStatistics[] = [];

/** How many heads were found, or which word was not understood. */
function Found({ search, all }: { search: HeadSearch; all: readonly HeadStatistics[] }) {
  if (search.kind === 'all') return null;
  return (
    <output className={classes.readout} style={{ borderTop: 0 }}>
      {search.kind === 'found'
        ? `${search.heads.length} of ${all.length} heads`
        : `“${search.word}” says nothing about heads: try previous, induction, duplicate, sink, self, positional, entropy, distance, focused, local, layer, head`}
    </output>
  );
}
