import { Button, SegmentedControl, Select } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import type { AttributionRequest } from '../../../../preload/contract/index.ts';
import { visible } from '../../../ui/format.ts';
import { Empty } from '../../../ui/Empty.tsx';
import { usePart, useStudio } from '../../studioContext.ts';
import { formatProbability } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import { Trouble } from '../parts/Trouble.tsx';
import { Working } from '../parts/Working.tsx';
import classes from './attribution.module.css';
import { Units } from './Units.tsx';

/** What each part of the prompt does to the token behind it. */
export function AttributionTab() {
  return (
    <div className={parts.tab}>
      <Setup />
      <Outcome />
    </div>
  );
}

const levels: readonly { value: AttributionRequest['level']; label: string }[] = [
  { value: 'token', label: 'Tokens' },
  { value: 'word', label: 'Words' },
  { value: 'sentence', label: 'Sentences' },
];

const methods: readonly { value: AttributionRequest['method']; label: string }[] = [
  { value: 'leave-one-out', label: 'Leave one out' },
  { value: 'occlusion', label: 'Occlusion' },
  { value: 'attention', label: 'Attention' },
];

const useRun = (): (() => void) => {
  const { inspect, attribution } = useStudio();
  return () => {
    const { model, prompt } = inspect.store.getState();
    if (model !== null) void attribution.run(model, prompt);
  };
};

function Setup() {
  const { attribution, inspect, connection } = useStudio();
  const { level, method, attribution: work } = usePart(attribution.store, (state) => state);
  const hasModel = usePart(inspect.store, (state) => state.model !== null);
  const isConnected = usePart(connection, (state) => state.connection.kind === 'ready');
  const run = useRun();
  return (
    <div className={parts.bar}>
      <SegmentedControl
        aria-label="Parts of the prompt"
        value={level}
        data={[...levels]}
        onChange={(value) => {
          const next = levels.find((each) => each.value === value);
          if (next) attribution.change({ level: next.value });
        }}
      />
      <SegmentedControl
        aria-label="Method"
        value={method}
        data={[...methods]}
        onChange={(value) => {
          const next = methods.find((each) => each.value === value);
          if (next) attribution.change({ method: next.value });
        }}
      />
      <Target />
      {work.kind === 'working' ? (
        <Working
          progress={work.progress}
          label="Progress of the attribution"
          onStop={() => attribution.cancel()}
        />
      ) : (
        <Button
          leftSection={<IconPlayerPlay size={16} stroke={1.5} aria-hidden="true" />}
          disabled={!hasModel || !isConnected}
          onClick={run}
        >
          Attribute
        </Button>
      )}
    </div>
  );
}

/** The token to explain: the most probable one, or another that could come. */
function Target() {
  const { attribution, inspect } = useStudio();
  const target = usePart(attribution.store, (state) => state.target);
  const model = usePart(inspect.store, (state) => state.model);
  const prompt = usePart(inspect.store, (state) => state.prompt);
  // They are asked for when the list opens: every change of the prompt would be a run.
  const { data, isFetching, refetch } = useQuery({
    queryKey: ['candidates', model, JSON.stringify(prompt)],
    enabled: false,
    queryFn: ({ signal }) => attribution.candidates(model ?? '', prompt, signal),
  });
  const isListed = data?.some(({ id }) => id === target) ?? false;
  const first = data?.[0];
  return (
    <span className={parts.named}>
      Explains
      <Select
        aria-label="Token to explain"
        className={classes.target}
        value={target === null ? '' : String(target)}
        data={[
          {
            value: '',
            label: first ? `The most probable: ${visible(first.text)}` : 'The most probable token',
          },
          ...(target !== null && !isListed
            ? [{ value: String(target), label: `Token ${target}` }]
            : []),
          ...(data ?? []).map(({ id, text, logprob }) => ({
            value: String(id),
            label: `${visible(text)}  ${formatProbability(Math.exp(logprob))}`,
          })),
        ]}
        rightSection={isFetching ? '…' : undefined}
        onDropdownOpen={() => {
          if (model !== null && !data) void refetch();
        }}
        onChange={(value) =>
          attribution.change({ target: value === null || value === '' ? null : Number(value) })
        }
      />
    </span>
  );
}

function Outcome() {
  const { attribution } = useStudio();
  const { attribution: work, asked } = usePart(attribution.store, (state) => state);
  const run = useRun();
  switch (work.kind) {
    case 'idle':
      return (
        <Empty
          action={
            <Button variant="default" onClick={run}>
              Attribute
            </Button>
          }
        >
          Takes the prompt apart and shows how much less probable the next token becomes without
          each part.
        </Empty>
      );
    case 'working':
      return <Empty>The model reads the prompt once for each of its parts.</Empty>;
    case 'failed':
      return <Trouble failure={work.failure} retry={run} />;
    case 'done':
      return asked && <Units attribution={work.result} asked={asked} />;
  }
}
