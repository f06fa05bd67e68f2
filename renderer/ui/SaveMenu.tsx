import { ActionIcon, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { toNpy, type NpyArray } from './npy.ts';
import { pngOfCanvas, pngOfSvg, svgText } from './picture.ts';
import { saveBlob, saveText } from './save.ts';

/** What can be saved, made when it is asked for; formats without a source are not offered. */
export interface SaveSources {
  /** Name of the files, without an ending: `tiny-stories-layers`. */
  readonly name: string;
  readonly svg?: () => SVGSVGElement | null | undefined;
  readonly canvas?: () => HTMLCanvasElement | null | undefined;
  readonly csv?: () => string;
  readonly json?: () => unknown;
  readonly markdown?: () => string;
  readonly npy?: () => NpyArray;
}

/** A small button that saves a picture or a table in the formats it can have. */
export function SaveMenu({ label, ...sources }: SaveSources & { label: string }) {
  return (
    <Menu position="bottom-end" shadow="md">
      <Menu.Target>
        <ActionIcon aria-label={label} title={label}>
          <IconDownload size={16} stroke={1.5} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {offers(sources).map(({ format, save }) => (
          <Menu.Item key={format} onClick={save}>
            {format}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

interface Offer {
  readonly format: string;
  readonly save: () => void;
}

function offers({ name, svg, canvas, csv, json, markdown, npy }: SaveSources): Offer[] {
  const png = async (): Promise<void> => {
    const vector = svg?.();
    const raster = canvas?.();
    if (vector) saveBlob(`${name}.png`, await pngOfSvg(vector));
    else if (raster) saveBlob(`${name}.png`, await pngOfCanvas(raster));
  };
  const text = (ending: string, type: string, of: () => string): (() => void) => {
    return () => saveText(`${name}.${ending}`, type, of());
  };
  return [
    ...(svg || canvas ? [{ format: 'PNG', save: () => void png() }] : []),
    ...(svg
      ? [
          {
            format: 'SVG',
            save: () => {
              const vector = svg();
              if (vector) saveText(`${name}.svg`, 'image/svg+xml', svgText(vector));
            },
          },
        ]
      : []),
    ...(csv ? [{ format: 'CSV', save: text('csv', 'text/csv', csv) }] : []),
    ...(json
      ? [
          {
            format: 'JSON',
            save: text('json', 'application/json', () => JSON.stringify(json(), null, 2)),
          },
        ]
      : []),
    ...(markdown ? [{ format: 'Markdown', save: text('md', 'text/markdown', markdown) }] : []),
    ...(npy
      ? [
          {
            format: 'NumPy',
            save: () => saveBlob(`${name}.npy`, new Blob([toNpy(npy())])),
          },
        ]
      : []),
  ];
}
