import type { Capture } from '../../../../preload/contract/index.ts';
import { useStudio } from '../../studioContext.ts';
import { Loaded } from '../../Loaded.tsx';
import { Captured } from '../Captured.tsx';
import { useSlice } from '../useSlice.ts';
import classes from './Lens.module.css';
import { LensGrid } from './LensGrid.tsx';
import { PositionPane } from './PositionPane.tsx';
import { Predictions } from './Predictions.tsx';

/** What the model says behind each token, and what it would say if it ended at each layer. */
export function LensTab() {
  return (
    <Captured promise="Capture the prompt to see how the prediction comes about, layer by layer.">
      {(capture) => <Lens key={capture.id} capture={capture} />}
    </Captured>
  );
}

function Lens({ capture }: { capture: Capture }) {
  const { inspect } = useStudio();
  const predictions = useSlice(capture, ['predictions'], () => inspect.predictions(capture));
  const lens = useSlice(capture, ['lens'], () => inspect.lens(capture));
  return (
    <div className={classes.tab}>
      <div className={classes.main}>
        <Loaded query={predictions}>
          {(all) => <Predictions capture={capture} predictions={all} />}
        </Loaded>
        <Loaded query={lens}>{(all) => <LensGrid capture={capture} lens={all} />}</Loaded>
      </div>
      <PositionPane
        capture={capture}
        predictions={predictions.data ?? null}
        lens={lens.data ?? null}
      />
    </div>
  );
}
