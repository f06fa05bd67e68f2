import { SegmentedControl, Select } from '@mantine/core';
import { useCallback, useMemo, useState, type ReactNode } from 'react';
import type { OperatorTime } from '../../../preload/contract/index.ts';
import { blockAt, drawOperatorTimes } from '../../charts/operatorTimes.ts';
import { blockTimes, type OperatorPhase } from '../../state/benchOperators.ts';
import { operatorsTable } from '../../state/benchFiles.ts';
import { csvOf, formatMs } from './benchWords.ts';
import { OperatorTable } from './OperatorTable.tsx';
import { ReadChart } from './ReadChart.tsx';
import classes from './Results.module.css';
import type { Shown } from './shown.ts';

const captions: Readonly<Record<OperatorPhase, string>> = {
  decode: 'Milliseconds per decode step',
  prefill: 'Milliseconds of one prefill',
};

/** Where the time goes: every operator of one measurement, by block and as a table. */
export function OperatorsCard({ shown, name }: { shown: readonly Shown[]; name: string }) {
  const profiled = shown.flatMap((each) =>
    each.record.operators ? [{ ...each, operators: each.record.operators }] : [],
  );
  const [asked, setAsked] = useState<number | null>(null);
  const [phase, setPhase] = useState<OperatorPhase>('decode');
  const chosen = profiled.find(({ record }) => record.id === asked) ?? profiled[0];
  if (!chosen) return null;
  return (
    <>
      <BlockChart operators={chosen.operators} phase={phase} label={chosen.label} name={name}>
        {profiled.length > 1 && (
          <Select
            aria-label="Measurement whose operators are shown"
            size="xs"
            value={String(chosen.record.id)}
            data={profiled.map(({ record, label }) => ({ value: String(record.id), label }))}
            onChange={(id) => setAsked(Number(id))}
          />
        )}
        <SegmentedControl
          aria-label="Part of the run"
          value={phase}
          data={[
            { value: 'decode', label: 'Decode' },
            { value: 'prefill', label: 'Prefill' },
          ]}
          onChange={(next) => setPhase(next === 'prefill' ? 'prefill' : 'decode')}
        />
      </BlockChart>
      <section aria-label="Operators" className={classes.card} data-wide>
        <OperatorTable operators={chosen.operators} name={name} />
      </section>
    </>
  );
}

interface BlockChartProps {
  operators: readonly OperatorTime[];
  phase: OperatorPhase;
  label: string;
  name: string;
  children: ReactNode;
}

function BlockChart({ operators, phase, label, name, children }: BlockChartProps) {
  const blocks = useMemo(() => blockTimes(operators, phase), [operators, phase]);
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawOperatorTimes(svg, { caption: captions[phase], blocks }, width),
    [blocks, phase],
  );
  const read = (index: number): string => {
    const block = blocks[index];
    if (!block) return '';
    const sums = Map.groupBy(block.parts, ({ operator }) => operator);
    const largest = [...sums]
      .map(([operator, parts]) => ({ operator, ms: total(parts) }))
      .toSorted((a, b) => b.ms - a.ms)
      .slice(0, 4);
    const place = block.name === 'outside' ? 'Outside the blocks' : `Block ${block.name}`;
    return `${place}: ${formatMs(total(block.parts))} · ${largest
      .map(({ operator, ms }) => `${operator} ${formatMs(ms)}`)
      .join(' · ')}`;
  };
  const all = total(blocks.flatMap(({ parts }) => parts));
  return (
    <ReadChart
      title="Operators by block"
      label={`Time of the operators of ${label} in every block, ${phase}`}
      isWide
      draw={draw}
      find={(width, at) => blockAt(blocks, width, at)}
      read={read}
      idle={`${label}: the operators take ${formatMs(all)} ${phase === 'decode' ? 'per step' : 'together'}, by the profiler of onnxruntime.`}
      save={{
        name: `${name}-operators`,
        csv: () => csvOf(operatorsTable(operators)),
      }}
    >
      {children}
    </ReadChart>
  );
}

const total = (parts: readonly { ms: number }[]): number =>
  parts.reduce((sum, { ms }) => sum + ms, 0);
