import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import classes from './ErrorPanel.module.css';

interface ErrorPanelProps {
  /** What happened, and where as far as it is known. */
  failure: {
    readonly code: string;
    readonly message: string;
    readonly data: { readonly [place in (typeof places)[number]]?: string | number | undefined };
  };
  /** What can be done now, the likeliest first. */
  steps?: readonly { label: string; run: () => void }[];
}

const places = ['file', 'offset', 'tensor', 'node', 'value'] as const;

/** A failure: what happened, where, and the next steps as buttons. */
export function ErrorPanel({ failure: { code, message, data }, steps = [] }: ErrorPanelProps) {
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
          {places.map((place) =>
            data[place] === undefined ? null : (
              <div key={place}>
                <dt>{place}</dt>
                <dd>{data[place]}</dd>
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
