import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { ModelRecord } from '../../../preload/contract/index.ts';
import { modelKey } from '../../state/models.ts';
import { formatBytes, formatCount, formatParameters } from '../../ui/format.ts';
import { Table } from '../../ui/Table.tsx';
import { useStudio } from '../studioContext.ts';
import classes from './tabs.module.css';
import { Loaded } from '../Loaded.tsx';
import { MemoryEstimateBlock } from './MemoryEstimateBlock.tsx';

/** Facts at a glance, memory before load, files with their hashes, the model card. */
export function OverviewTab({ record }: { record: ModelRecord }) {
  const { models } = useStudio();
  const key = modelKey(record);
  const query = useQuery({ queryKey: ['facts', key], queryFn: () => models.facts(key) });
  return (
    <>
      <dl className={classes.facts}>
        <Fact name="Architecture">{record.architecture}</Fact>
        <Fact name="Parameters">
          <span title={formatCount(record.parameters)}>{formatParameters(record.parameters)}</span>
        </Fact>
        <Fact name="Size">{formatBytes(record.bytes)}</Fact>
        <Fact name="Precision">{record.precision}</Fact>
        <Fact name="Context">{formatCount(record.contextLength)} tokens</Fact>
        <Fact name="Vocabulary">{formatCount(record.vocabularySize)} tokens</Fact>
        {record.licence !== null && <Fact name="Licence">{record.licence}</Fact>}
        <Fact name="Added">{new Date(record.addedAt).toLocaleDateString('en-GB')}</Fact>
        <div className={classes.wide}>
          <dt>Folder</dt>
          <dd className="mono">{record.folder}</dd>
        </div>
        <div className={classes.wide}>
          <dt>SHA-256 of the weights</dt>
          <dd className="mono">{record.sha256}</dd>
        </div>
      </dl>
      <MemoryEstimateBlock model={key} longest={record.contextLength} />
      <Loaded query={query}>
        {({ files, card }) => (
          <>
            <div className={classes.block}>
              <h3>Files</h3>
              <Table kind="figures" className={classes.figures}>
                <tbody>
                  {files.map((file) => (
                    <tr key={file.name}>
                      <td>{file.name}</td>
                      <td data-number>{formatBytes(file.bytes)}</td>
                      <td className="mono" title={file.sha256}>
                        {file.sha256.slice(0, 12)}
                      </td>
                    </tr>
                  ))}
                </tbody>
              </Table>
            </div>
            {card !== null && (
              <div className={classes.block}>
                <h3>Model card</h3>
                <pre className={classes.code}>{card}</pre>
              </div>
            )}
          </>
        )}
      </Loaded>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
