import { Button } from '@mantine/core';
import type { Difference } from '../../../../preload/contract/index.ts';
import { modelKey } from '../../../state/models.ts';
import { Empty } from '../../../ui/Empty.tsx';
import { formatCount } from '../../../ui/format.ts';
import { usePart, useStudio } from '../../studioContext.ts';
import parts from '../parts/parts.module.css';
import { Trouble } from '../parts/Trouble.tsx';
import { Blame } from './Blame.tsx';
import classes from './difference.module.css';
import { DifferenceText } from './DifferenceText.tsx';
import { HeadMaps } from './HeadMaps.tsx';
import { Heads } from './Heads.tsx';
import { Residual } from './Residual.tsx';
import { Setup } from './Setup.tsx';

/** Two models on one text: where they part, which heads changed, and which layers are to blame. */
export function DifferenceTab() {
  return (
    <div className={parts.tab}>
      <Setup />
      <Outcome />
    </div>
  );
}

function Outcome() {
  const { inspect, difference } = useStudio();
  const comparison = usePart(difference.store, (state) => state.comparison);
  const other = useOtherTokenizer();
  const run = (): void => void difference.run(inspect.store.getState().prompt);
  switch (comparison.kind) {
    case 'idle':
      return other ?? <Start run={run} />;
    case 'working':
      return <Empty>Both models read the text; what they make of it is laid side by side.</Empty>;
    case 'failed':
      return other ?? <Trouble failure={comparison.failure} retry={run} />;
    case 'done':
      return <Result difference={comparison.result} />;
  }
}

function Start({ run }: { run: () => void }) {
  const { difference, navigation } = useStudio();
  const { base, variant } = usePart(difference.store, (state) => state);
  if (base === null && variant !== null) {
    return (
      <Empty>
        The model that this variant was made from is not in the library any more: choose another as
        the base.
      </Empty>
    );
  }
  if (base === null || variant === null) {
    return (
      <Empty
        action={
          <Button variant="default" onClick={() => navigation.go('compress')}>
            Make a variant…
          </Button>
        }
      >
        A variant is compared with the model it was made from; this one has none yet.
      </Empty>
    );
  }
  if (base === variant) return <Empty>These are the same model: choose another as the base.</Empty>;
  return (
    <Empty
      action={
        <Button variant="default" onClick={run}>
          Compare
        </Button>
      }
    >
      Runs the prompt through both and shows the first token where they part, the heads that look
      elsewhere, and the layers that are to blame.
    </Empty>
  );
}

/** Says so before any work when the two cannot be compared token by token. */
function useOtherTokenizer() {
  const { difference, inspect, models, tokenizer } = useStudio();
  const { base, variant } = usePart(difference.store, (state) => state);
  const known = usePart(models.store, (state) => state.models);
  const of = (key: string | null) => known?.find((record) => modelKey(record) === key);
  const [first, second] = [of(base), of(variant)];
  if (!first || !second || first.vocabularySize === second.vocabularySize) return null;
  const compareTokenizers = (): void => {
    tokenizer.change({ other: modelKey(first) });
    inspect.setModel(modelKey(second));
    inspect.setTab('tokenizer');
  };
  return (
    <Empty
      action={
        <Button variant="default" onClick={compareTokenizers}>
          Compare their tokenizers
        </Button>
      }
    >
      {first.name} and {second.name} cut text into different tokens (of vocabularies of{' '}
      {formatCount(first.vocabularySize)} and {formatCount(second.vocabularySize)}), so they cannot
      be compared token by token.
    </Empty>
  );
}

function Result({ difference }: { difference: Difference }) {
  return (
    <div className={parts.scroll}>
      <div className={parts.columns}>
        <DifferenceText difference={difference} />
        <Blame difference={difference} />
      </div>
      <div className={classes.inside} data-heads={difference.heads !== null || undefined}>
        <Heads difference={difference} />
        <Residual difference={difference} />
      </div>
      <HeadMaps difference={difference} />
    </div>
  );
}
