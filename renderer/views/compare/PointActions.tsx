import { Menu } from '@mantine/core';
import {
  IconBooks,
  IconChartDots,
  IconEye,
  IconPlayerPlay,
  IconStack2,
  IconTrash,
} from '@tabler/icons-react';
import { baseOf } from '../../state/measure.ts';
import type { Point } from '../../state/points.ts';
import { removeModel } from '../removeModel.ts';
import { usePart, useStudio } from '../studioContext.ts';

const icon = { size: 14, stroke: 1.5, 'aria-hidden': true } as const;

/** What can be done with a point: the items of a menu. */
export function PointActions({ point: { key, model } }: { point: Point }) {
  const studio = useStudio();
  const base = usePart(studio.models.store, ({ models }) => baseOf(key, models ?? []));
  const text = usePart(studio.textDivergence.store, (state) => state.text);
  return (
    <>
      <Menu.Label>{model.name}</Menu.Label>
      <Menu.Item leftSection={<IconPlayerPlay {...icon} />} onClick={() => studio.tryModel(key)}>
        Open in playground
      </Menu.Item>
      <Menu.Item leftSection={<IconStack2 {...icon} />} onClick={() => studio.compressModel(key)}>
        Compress from here
      </Menu.Item>
      <Menu.Item leftSection={<IconBooks {...icon} />} onClick={() => studio.showModel(key)}>
        Show in library
      </Menu.Item>
      {base !== null && (
        <Menu.Item
          leftSection={<IconEye {...icon} />}
          onClick={() => studio.inspectPair(base, key, text)}
        >
          Inspect against {base}
        </Menu.Item>
      )}
      <Menu.Item
        leftSection={<IconChartDots {...icon} />}
        onClick={() => studio.compare.openMeasure([key])}
      >
        Measure…
      </Menu.Item>
      {model.source !== 'embedded' && (
        <Menu.Item
          leftSection={<IconTrash {...icon} />}
          onClick={() => void removeModel(studio.models, model)}
        >
          {model.source === 'folder' ? 'Close this folder' : 'Delete'}
        </Menu.Item>
      )}
    </>
  );
}
