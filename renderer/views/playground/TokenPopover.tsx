import { ActionIcon, Popover, Tooltip } from '@mantine/core';
import { IconGitBranch } from '@tabler/icons-react';
import { useCallback } from 'react';
import type { Alternative, GeneratedToken } from '../../../preload/contract/index.ts';
import { drawAlternatives, type AlternativeRow } from '../../charts/alternatives.ts';
import { Chart } from '../../ui/Chart.tsx';
import { formatDuration, visible } from '../../ui/format.ts';
import { useStudio } from '../studioContext.ts';
import classes from './OutputLog.module.css';

/** A token and where it stands in the output, in pixels. */
export interface Place {
  readonly index: number;
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

interface TokenPopoverProps {
  place: Place;
  token: GeneratedToken;
  onClose: () => void;
}

/** What else could have come here, and the way to try it. */
export function TokenPopover({ place, token, onClose }: TokenPopoverProps) {
  const { generation } = useStudio();
  const { index, ...rect } = place;
  const candidates = candidatesOf(token);
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) => drawAlternatives(svg, rowsOf(token), width),
    [token],
  );
  const branch = (alternative: Alternative): void => {
    onClose();
    void generation.branch(index, alternative);
  };
  return (
    <Popover
      opened
      onDismiss={onClose}
      onClose={onClose}
      position="bottom-start"
      width={440}
      trapFocus
      withArrow
      withRoles={false}
      arrowOffset={16}
    >
      <Popover.Target>
        <div className={classes.anchor} style={rect} />
      </Popover.Target>
      <Popover.Dropdown
        // Mantine places a div here.
        // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role
        role="dialog"
        className={classes.popover}
        aria-label={`Alternatives of token ${index + 1}`}
      >
        <div className={classes.token}>
          <strong>{visible(token.text)}</strong>
          <span>token {index + 1}</span>
          <span>id {token.id}</span>
          <span>{formatDuration(token.ms)}</span>
        </div>
        <div className={classes.alternatives}>
          <Chart label={`Probabilities of ${candidates.length} tokens`} draw={draw} />
          <div className={classes.branches}>
            {candidates.map((alternative) => (
              <Tooltip
                key={alternative.id}
                label={`Go on with “${visible(alternative.text)}”`}
                position="right"
              >
                <ActionIcon aria-label="Branch from here" onClick={() => branch(alternative)}>
                  <IconGitBranch size={14} stroke={1.5} />
                </ActionIcon>
              </Tooltip>
            ))}
          </div>
        </div>
        {token.alternatives.length === 0 && (
          <p className={classes.hint}>
            This run was made without alternatives; run it again for them.
          </p>
        )}
      </Popover.Dropdown>
    </Popover>
  );
}

/** The alternatives, with the token itself behind them where it was not among the best. */
const candidatesOf = ({ id, text, logprob, alternatives }: GeneratedToken): Alternative[] =>
  alternatives.some((alternative) => alternative.id === id)
    ? alternatives
    : [...alternatives, { id, text, logprob }];

const rowsOf = (token: GeneratedToken): AlternativeRow[] =>
  candidatesOf(token).map(({ id, text, logprob }, index) => ({
    rank: index < token.alternatives.length ? index + 1 : null,
    label: visible(text),
    logprob,
    chosen: id === token.id,
  }));
