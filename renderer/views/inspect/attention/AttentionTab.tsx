import { Captured } from '../Captured.tsx';
import { Ablation } from './Ablation.tsx';
import classes from './Attention.module.css';
import { HeadsPane } from './HeadsPane.tsx';
import { MapPane } from './MapPane.tsx';

/** What every head looks at: all of them small, one of them large, and what changes without some. */
export function AttentionTab() {
  return (
    <Captured promise="Capture the prompt to see what every head of every layer looks at.">
      {(capture) => (
        <div key={capture.id} className={classes.tab}>
          <div className={classes.panes}>
            <HeadsPane capture={capture} />
            <MapPane capture={capture} />
          </div>
          <Ablation capture={capture} />
        </div>
      )}
    </Captured>
  );
}
