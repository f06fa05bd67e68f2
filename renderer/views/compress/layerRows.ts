import type { LayerReport } from '../../../preload/contract/index.ts';
import { toCsv } from '../../ui/save.ts';

/** What a pass did to the layers, as CSV; errors are shares, not per cent. */
export const layersCsv = (layers: readonly LayerReport[]): string =>
  toCsv(
    [
      'layer',
      'measure',
      'error_before',
      'error_after',
      'bits',
      'bytes_before',
      'bytes',
      'seconds',
      'note',
    ],
    layers.map((each) => [
      each.layer,
      each.measure,
      each.errorBefore,
      each.errorAfter,
      each.bits,
      each.bytesBefore,
      each.bytes,
      each.seconds,
      each.note ?? null,
    ]),
  );

/** A model's name as a file name has it. */
export const fileName = (name: string): string => name.replaceAll(/[^\w.+-]+/g, '-');
