import type { Difference } from '../../../../preload/contract/index.ts';
import type { DifferenceFigures } from '../../../state/differenceFigures.ts';
import { visible } from '../../../ui/format.ts';
import { formatFigure, formatProbability, formatSigned } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import { Table } from '../../../ui/Table.tsx';
import classes from './difference.module.css';

interface TokenReadoutProps {
  difference: Difference;
  figures: DifferenceFigures;
  index: number;
}

/** What both say of a token. */
export function TokenReadout({ difference, figures, index }: TokenReadoutProps) {
  const { tokens, positions, promptTokens } = difference;
  const token = tokens[index];
  const told = positions[index - 1];
  const isLast = index === tokens.length - 1;
  const next = isLast ? positions[index] : undefined;
  if (!token) return null;
  const gain = figures.gain[index] ?? null;
  return (
    <output className={classes.readout} aria-label="Values of the token">
      <div>
        <span className={parts.token}>{visible(token.text)}</span>
        <span>
          token {index + 1} {index < promptTokens ? 'of the prompt' : 'written by the base'}
        </span>
        <span>id {token.id}</span>
        <span>KL {told ? `${formatFigure(told.kl)} nats` : '–'}</span>
        <span>Δ {gain === null ? '–' : `${formatSigned(gain)} nats`}</span>
      </div>
      <Table kind="figures">
        <thead>
          <tr>
            <th aria-label="Model" />
            <th scope="col" data-number>
              gave it
            </th>
            <th scope="col">first choice</th>
            {isLast && <th scope="col">goes on with</th>}
          </tr>
        </thead>
        <tbody>
          <Side name="Base" told={told?.base} next={next?.base} isLast={isLast} />
          <Side name="Variant" told={told?.variant} next={next?.variant} isLast={isLast} />
        </tbody>
      </Table>
    </output>
  );
}

type Opinion = Difference['positions'][number]['base'];

interface SideProps {
  name: string;
  /** What it said where the token was to come; nothing before the first. */
  told: Opinion | undefined;
  /** What it says behind the token. */
  next: Opinion | undefined;
  isLast: boolean;
}

function Side({ name, told, next, isLast }: SideProps) {
  const logprob = told?.logprob ?? null;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td data-number>{logprob === null ? '–' : formatProbability(Math.exp(logprob))}</td>
      <Choice opinion={told} />
      {isLast && <Choice opinion={next} />}
    </tr>
  );
}

function Choice({ opinion }: { opinion: Opinion | undefined }) {
  if (!opinion) return <td>–</td>;
  return (
    <td>
      <span className={parts.token}>{visible(opinion.top.text)}</span>{' '}
      {formatProbability(Math.exp(opinion.topLogprob))}
    </td>
  );
}
