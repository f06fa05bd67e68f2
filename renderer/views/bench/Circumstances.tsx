import type { BenchRecord } from '../../../preload/contract/index.ts';
import { deviceName } from '../../state/devices.ts';
import { formatBytes, formatCount } from '../../ui/format.ts';
import { SaveMenu } from '../../ui/SaveMenu.tsx';
import { fileName } from './benchWords.ts';
import classes from './Results.module.css';
import type { Shown } from './shown.ts';

interface CircumstancesProps {
  shown: readonly Shown[];
  /** Of each of them; a whole result is offered once they are there. */
  samples: readonly Float64Array[] | undefined;
}

/** How, when and on what each measurement was made. */
export function Circumstances({ shown, samples }: CircumstancesProps) {
  return (
    <section aria-label="Protocol" className={classes.card} data-wide>
      <div className={classes.cardTitle}>
        <h2>Protocol</h2>
      </div>
      {shown.map(({ record, label, color }, at) => (
        <div key={record.id} className={classes.protocol}>
          <h3>
            <span className={classes.swatch} style={{ background: color }} />
            {label}
            {samples && (
              <SaveMenu
                label={`Save the whole result of ${label}`}
                name={`${fileName(record.model)}-bench`}
                json={() => ({ ...record, decodeMs: [...(samples[at] ?? [])] })}
              />
            )}
          </h3>
          <p>{record.protocol}</p>
          <dl>
            {factsOf(record).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ))}
          </dl>
        </div>
      ))}
    </section>
  );
}

const factsOf = (record: BenchRecord): readonly (readonly [string, string])[] => {
  const { machine, versions, request } = record;
  return [
    ['Measured', new Date(record.measuredAt).toLocaleString('en-GB')],
    ['Processor', machine.cpu],
    ['Cores', formatCount(machine.cores)],
    ['Threads', formatCount(record.threads)],
    ['Memory', formatBytes(machine.memoryBytes)],
    ['Device', deviceName(record.device)],
    ['System', `${machine.platform} ${machine.release}`],
    [
      'Versions',
      Object.entries(versions)
        .map((each) => each.join(' '))
        .join(', '),
    ],
    ['Graph', request.form],
    ['SHA-256 of the weights', record.modelSha256.slice(0, 16)],
  ];
};
