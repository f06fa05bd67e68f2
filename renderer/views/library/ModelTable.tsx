import type { ModelRecord } from '../../../preload/contract/index.ts';
import { modelKey } from '../../state/models.ts';
import { formatBytes, formatCount, formatParameters } from '../../ui/format.ts';
import { Table } from '../../ui/Table.tsx';
import { useStudio } from '../studioContext.ts';
import classes from './ModelTable.module.css';

const sources: Readonly<Record<ModelRecord['source'], string>> = {
  embedded: 'Embedded',
  library: 'Library',
  folder: 'Folder',
};

/** Models with their variants below them. */
export function ModelTable({
  models,
  selected,
}: {
  models: readonly ModelRecord[];
  selected: string | null;
}) {
  return (
    <Table kind="list" className={classes.models}>
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col" data-number>
            Parameters
          </th>
          <th scope="col" data-number>
            Size
          </th>
          <th scope="col" data-middle>
            Precision
          </th>
          <th scope="col" data-middle data-number>
            Context
          </th>
          <th scope="col" data-wide>
            Architecture
          </th>
          <th scope="col" data-middle>
            Source
          </th>
        </tr>
      </thead>
      <tbody>
        {inTree(models).map((model) => (
          <Row key={modelKey(model)} model={model} selected={modelKey(model) === selected} />
        ))}
      </tbody>
    </Table>
  );
}

/** Every model followed by its variants; a variant whose parent has gone stands alone. */
function inTree(models: readonly ModelRecord[]): ModelRecord[] {
  const names = new Set(models.map(({ name }) => name));
  const roots = models.filter(({ parent }) => parent === null || !names.has(parent));
  const below = (model: ModelRecord): ModelRecord[] => [
    model,
    ...models.filter(({ parent }) => parent === model.name).flatMap(below),
  ];
  return roots.flatMap(below);
}

function Row({ model, selected }: { model: ModelRecord; selected: boolean }) {
  const { models } = useStudio();
  const select = (): void => models.select(modelKey(model));
  return (
    // The name is a button; the rest of the row only makes it easier to hit.
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events
    <tr className={classes.row} aria-selected={selected} onClick={select}>
      <td>
        <button
          type="button"
          className={`${classes.name} ${model.parent === null ? '' : classes.variant}`}
          title={model.folder}
          onClick={select}
        >
          {model.name}
        </button>
      </td>
      <td data-number>{formatParameters(model.parameters)}</td>
      <td data-number>{formatBytes(model.bytes)}</td>
      <td data-middle>{model.precision}</td>
      <td data-middle data-number>
        {formatCount(model.contextLength)}
      </td>
      <td data-wide>{model.architecture}</td>
      <td data-middle>{sources[model.source]}</td>
    </tr>
  );
}
