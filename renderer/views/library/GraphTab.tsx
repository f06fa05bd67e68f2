import { SegmentedControl, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo, useState } from 'react';
import type { GraphFacts, GraphForm } from '../../../preload/contract/index.ts';
import { drawOperators } from '../../charts/operators.ts';
import { Chart } from '../../ui/Chart.tsx';
import { formatCount } from '../../ui/format.ts';
import { Table } from '../../ui/Table.tsx';
import { useStudio } from '../studioContext.ts';
import classes from './GraphTab.module.css';
import tabs from './tabs.module.css';
import { Loaded } from '../Loaded.tsx';

/** The graph that is built from the weights, in its fast and in its plain form. */
export function GraphTab({ model }: { model: string }) {
  const { models } = useStudio();
  const [form, setForm] = useState<GraphForm>('fused');
  const query = useQuery({
    queryKey: ['graph', model, form],
    queryFn: () => models.graph(model, form),
  });
  return (
    <>
      <div className={tabs.block}>
        <SegmentedControl
          aria-label="Form of the graph"
          value={form}
          onChange={setForm}
          data={[
            { value: 'fused', label: 'Fused' },
            { value: 'plain', label: 'Plain' },
          ]}
        />
      </div>
      <Loaded query={query}>{(graph) => <Graph graph={graph} />}</Loaded>
    </>
  );
}

function Graph({ graph }: { graph: GraphFacts }) {
  const opsets = Object.entries(graph.opsets)
    .map(([domain, version]) => `${domain || 'ai.onnx'} ${version}`)
    .join(', ');
  return (
    <>
      <dl className={tabs.facts}>
        <div>
          <dt>Nodes</dt>
          <dd>{formatCount(graph.nodes)}</dd>
        </div>
        <div>
          <dt>Operator sets</dt>
          <dd>{opsets}</dd>
        </div>
      </dl>
      <Operators operators={graph.operators} />
      <Values title="Inputs" values={graph.inputs} />
      <Values title="Outputs" values={graph.outputs} />
      <HookPoints names={graph.hookPoints} />
    </>
  );
}

function Operators({ operators }: Pick<GraphFacts, 'operators'>) {
  const counts = useMemo(
    () =>
      Object.entries(operators)
        .map(([operator, count]) => ({ operator, count }))
        .toSorted((a, b) => b.count - a.count || a.operator.localeCompare(b.operator)),
    [operators],
  );
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) => drawOperators(svg, counts, width),
    [counts],
  );
  return (
    <div className={tabs.block}>
      <h3>Nodes by operator</h3>
      <Chart label={`Nodes of ${counts.length} operator types`} draw={draw} />
    </div>
  );
}

function Values({ title, values }: { title: string; values: GraphFacts['inputs'] }) {
  return (
    <div className={tabs.block}>
      <h3>
        {title} ({values.length})
      </h3>
      <Table kind="figures" className={tabs.figures}>
        <tbody>
          {values.map(({ name, dataType, shape }) => (
            <tr key={name}>
              <td className="mono">{name}</td>
              <td>{dataType}</td>
              <td>{shape.join(' × ')}</td>
            </tr>
          ))}
        </tbody>
      </Table>
    </div>
  );
}

function HookPoints({ names }: { names: readonly string[] }) {
  const [search, setSearch] = useState('');
  const shown = names.filter((name) => name.includes(search));
  return (
    <div className={tabs.block}>
      <h3>Hook points ({formatCount(names.length)})</h3>
      <TextInput
        size="xs"
        aria-label="Search hook points"
        placeholder="blocks.3.attn"
        leftSection={<IconSearch size={14} stroke={1.5} />}
        value={search}
        onChange={(event) => setSearch(event.currentTarget.value)}
      />
      <ul className={classes.hooks}>
        {shown.map((name) => (
          <li key={name}>{name}</li>
        ))}
      </ul>
    </div>
  );
}
