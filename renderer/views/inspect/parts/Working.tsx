import { Button, Progress } from '@mantine/core';
import { IconPlayerStopFilled } from '@tabler/icons-react';
import type { Progress as Told } from '../../../../preload/contract/index.ts';
import { formatRemaining } from '../../../ui/format.ts';
import classes from './parts.module.css';

interface WorkingProps {
  progress: Told | null;
  /** Says what is under way to those who do not see it. */
  label: string;
  onStop: () => void;
}

/** How far the engine is, and the button that ends it. */
export function Working({ progress, label, onStop }: WorkingProps) {
  const { stage = 'Asking the engine', fraction, remainingMs } = progress ?? {};
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconPlayerStopFilled size={14} aria-hidden="true" />}
        onClick={onStop}
      >
        Stop
      </Button>
      <span className={classes.working}>
        <span className={classes.stage}>{stage}</span>
        <Progress
          size={4}
          value={(fraction ?? 1) * 100}
          animated={fraction === undefined}
          aria-label={label}
        />
        <span>{remainingMs === undefined ? '' : formatRemaining(remainingMs)}</span>
      </span>
    </>
  );
}
