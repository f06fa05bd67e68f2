import { Estimate } from './Estimate.tsx';
import classes from './Plan.module.css';
import { Sweep } from './Sweep.tsx';
import { TargetPicker } from './TargetPicker.tsx';

/** What the recipe will touch and what it will make of the model. */
export function PlanPane() {
  return (
    <div className={classes.plan}>
      <TargetPicker />
      <Estimate />
      <Sweep />
    </div>
  );
}
