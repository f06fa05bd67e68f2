import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import classes from './ErrorPanel.module.css';

interface ErrorPanelProps {
  code: string;
  message: string;
  /** Where it happened, as pairs of name and value; those without a value are left out. */
  places?: readonly (readonly [name: string, value: string | number | undefined])[];
  /** What can be done now, the likeliest first. */
  steps?: readonly { label: string; run: () => void }[];
}

/** A failure: what happened, where, and the next steps as buttons. */
export function ErrorPanel({ code, message, places = [], steps = [] }: ErrorPanelProps) {
  return (
    <div role="alert" className={classes.panel}>
      <IconAlertTriangle size={16} aria-hidden="true" className={classes.icon} />
      <div className={classes.body}>
        <p className={classes.message}>{message}</p>
        <dl className={classes.places}>
          <div>
            <dt>code</dt>
            <dd>{code}</dd>
          </div>
          {places.map(([name, value]) =>
            value === undefined ? null : (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
          )}
        </dl>
        {steps.length > 0 && (
          <div className={classes.steps}>
            {steps.map(({ label, run }, index) => (
              <Button
                key={label}
                size="xs"
                variant={index === 0 ? 'filled' : 'default'}
                onClick={run}
              >
                {label}
              </Button>
            ))}
          </div>
        )}
      </div>
    </div>
  );
}
