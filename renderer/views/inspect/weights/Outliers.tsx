import type { Weights } from '../../../../preload/contract/index.ts';
import { formatCount } from '../../../ui/format.ts';
import { SaveMenu } from '../../../ui/SaveMenu.tsx';
import { toCsv } from '../../../ui/save.ts';
import { formatFigure } from '../parts/figures.ts';
import { Table } from '../../../ui/Table.tsx';
import parts from '../parts/parts.module.css';

const mostListed = 12;

/** Input channels whose weights stand out. */
export function Outliers({ matrix, name }: { matrix: Weights; name: string }) {
  const { outliers } = matrix;
  return (
    <section className={parts.section} aria-label="Outlier channels">
      <div className={parts.head}>
        <h3>Outlier channels</h3>
        {outliers.length > mostListed && (
          <span>
            {mostListed} of {formatCount(outliers.length)}
          </span>
        )}
        {outliers.length > 0 && (
          <span className={parts.end}>
            <SaveMenu
              label="Save the outlier channels"
              name={`${name}-outliers`}
              csv={() =>
                toCsv(
                  ['channel', 'largest'],
                  outliers.map(({ channel, largest }) => [channel, largest]),
                )
              }
              json={() => outliers}
            />
          </span>
        )}
      </div>
      <p className={parts.note}>
        Input channels whose largest weight stands out by more than 6 deviations from those of all
        channels. {outliers.length === 0 && 'This matrix has none.'}
      </p>
      {outliers.length > 0 && (
        <Table kind="figures">
          <thead>
            <tr>
              <th scope="col">Input channel</th>
              <th scope="col" data-number>
                Largest weight
              </th>
            </tr>
          </thead>
          <tbody>
            {outliers.slice(0, mostListed).map(({ channel, largest }) => (
              <tr key={channel}>
                <td>{channel}</td>
                <td data-number>{formatFigure(largest)}</td>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </section>
  );
}
