import { Button } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import type { Capture } from '../../../../preload/contract/index.ts';
import { sameHead, toggledHead } from '../../../state/inspect.ts';
import { usePart, useStudio } from '../../studioContext.ts';
import { Trouble } from '../parts/Trouble.tsx';
import parts from '../parts/parts.module.css';
import { AblationOutcome } from './AblationOutcome.tsx';
import classes from './Ablation.module.css';

/** The heads that are switched off, and what the model says without them. */
export function Ablation({ capture }: { capture: Capture }) {
  const { inspect } = useStudio();
  const off = usePart(inspect.store, (state) => state.off);
  const ablated = usePart(inspect.store, (state) => state.ablated);
  if (off.length === 0) return null;
  const isShown =
    ablated.kind === 'ready' &&
    ablated.capture.ablated.length === off.length &&
    off.every((head) => ablated.capture.ablated.some((other) => sameHead(other, head)));
  const run = (): void => void inspect.ablate();
  return (
    <section aria-label="Heads switched off" className={classes.ablation}>
      <div className={parts.tools}>
        <h2>Switched off</h2>
        <span className={classes.off}>
          {off.map((head) => (
            <button
              key={`${head.layer}.${head.head}`}
              type="button"
              className={classes.pill}
              aria-label={`Switch layer ${head.layer} head ${head.head} on again`}
              onClick={() => inspect.setOff(toggledHead(off, head))}
            >
              L{head.layer} H{head.head}
              <IconX size={12} aria-hidden="true" />
            </button>
          ))}
        </span>
        <Button
          size="xs"
          disabled={isShown || ablated.kind === 'running'}
          loading={ablated.kind === 'running'}
          onClick={run}
        >
          Run without {off.length === 1 ? 'it' : 'them'}
        </Button>
        <Button size="xs" variant="default" onClick={() => inspect.setOff([])}>
          Reset
        </Button>
      </div>
      {ablated.kind === 'failed' && <Trouble failure={ablated.failure} retry={run} />}
      {ablated.kind === 'gone' && (
        <p className={classes.outcome}>The run without them is gone; run it again.</p>
      )}
      {ablated.kind === 'ready' && (
        <AblationOutcome before={capture} after={ablated.capture} isStale={!isShown} />
      )}
    </section>
  );
}
