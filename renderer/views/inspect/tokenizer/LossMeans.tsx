import type { Losses } from '../../../../preload/contract/index.ts';
import { formatCount } from '../../../ui/format.ts';
import { Table } from '../../../ui/Table.tsx';
import { useStudio } from '../../studioContext.ts';
import { formatFigure } from '../parts/figures.ts';
import classes from './tokenizer.module.css';

const mean = (values: Float32Array): number =>
  values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : 0;

/** Every model over the whole text. */
export function LossMeans({ losses }: { losses: Losses }) {
  const { colors } = useStudio();
  return (
    <Table kind="figures">
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col" data-number>
            Nats
          </th>
          <th scope="col" data-number>
            Perplexity
          </th>
          <th scope="col" data-number>
            KL
          </th>
        </tr>
      </thead>
      <tbody>
        {losses.models.map(({ model, nats, kl }) => (
          <tr key={model}>
            <td title={model} className={classes.name}>
              <span
                className={classes.swatch}
                style={{ background: colors.of(model) }}
                aria-hidden="true"
              />
              {model}
            </td>
            <td data-number>{mean(nats).toFixed(3)}</td>
            <td data-number>{Math.exp(mean(nats)).toFixed(2)}</td>
            <td data-number>{kl ? formatFigure(mean(kl)) : '–'}</td>
          </tr>
        ))}
      </tbody>
      <caption className={classes.caption}>
        means over {formatCount(losses.models[0]?.nats.length ?? 0)} tokens of this text
      </caption>
    </Table>
  );
}
