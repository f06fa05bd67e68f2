import { Button } from '@mantine/core';
import type { Capture } from '../../../../preload/contract/index.ts';
import { Empty } from '../../../ui/Empty.tsx';
import { useStudio } from '../../studioContext.ts';
import { Captured } from '../Captured.tsx';
import { Ablation } from './Ablation.tsx';
import classes from './Attention.module.css';
import { HeadsPane } from './HeadsPane.tsx';
import { MapPane } from './MapPane.tsx';

/** What every head looks at: all of them small, one of them large, and what changes without some. */
export function AttentionTab() {
  return (
    <Captured promise="Capture the prompt to see what every head of every layer looks at.">
      {(capture) => <Attention key={capture.id} capture={capture} />}
    </Captured>
  );
}

function Attention({ capture }: { capture: Capture }) {
  const { inspect } = useStudio();
  if (capture.heads.every((count) => count === 0)) {
    return (
      <Empty
        action={
          <Button variant="default" onClick={() => inspect.setTab('lens')}>
            Show its predictions
          </Button>
        }
      >
        No attention was recognised in the graph of {capture.model}: neither a softmax over scores
        nor an attention operator. What it predicts can still be seen.
      </Empty>
    );
  }
  return (
    <div className={classes.tab}>
      <div className={classes.panes}>
        <HeadsPane capture={capture} />
        <MapPane capture={capture} />
      </div>
      <Ablation capture={capture} />
    </div>
  );
}
