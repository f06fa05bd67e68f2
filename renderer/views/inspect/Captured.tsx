import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Capture } from '../../../preload/contract/index.ts';
import type { Failure } from '../../state/failure.ts';
import { keyNames } from '../../state/shortcuts.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Keys } from '../../ui/Keys.tsx';
import { usePart, useStudio } from '../studioContext.ts';
import classes from './Inspect.module.css';
import { Trouble } from './parts/Trouble.tsx';

interface CapturedProps {
  /** What will be seen here, as one sentence. */
  promise: string;
  children: (capture: Capture) => ReactNode;
}

/** What a capture shows, or why there is none and what to do about it. */
export function Captured({ promise, children }: CapturedProps) {
  const { inspect, host } = useStudio();
  const main = usePart(inspect.store, (state) => state.main);
  const again = (): void => void inspect.capture();
  switch (main.kind) {
    case 'none':
      return (
        <Empty action={<Keys names={keyNames({ key: 'Enter', mod: true }, host.mac)} />}>
          {promise}
        </Empty>
      );
    case 'running':
      return <Empty>The model reads the prompt; everything it computes is kept.</Empty>;
    case 'failed':
      return <Failed failure={main.failure} retry={again} />;
    case 'gone':
      return (
        <Empty
          action={
            <Button variant="default" onClick={again}>
              Capture again
            </Button>
          }
        >
          The capture of {main.capture.model} is gone: the process that held it has ended, or newer
          captures took its place.
        </Empty>
      );
    case 'ready':
      return children(main.capture);
  }
}

/** Why there is no capture; a graph that hides its attention can still be used for all the rest. */
function Failed({ failure, retry }: { failure: Failure; retry: () => void }) {
  const studio = useStudio();
  if (failure.code !== 'graph_invalid') return <Trouble failure={failure} retry={retry} />;
  const open = (): void => {
    const { model } = studio.inspect.store.getState();
    if (model !== null) studio.tryModel(model);
  };
  return (
    <>
      <Trouble
        failure={failure}
        retry={retry}
        steps={[{ label: 'Open in playground', run: open }]}
      />
      <p className={classes.hint}>
        Attention is found as a softmax over scores or as an operator of its own. A model whose
        graph has neither cannot be looked into, but it can be run, measured and compressed.
      </p>
    </>
  );
}
