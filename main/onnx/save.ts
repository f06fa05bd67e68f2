import { basename, dirname, isAbsolute, relative, sep } from 'node:path';
import { createSink, type Sink } from '../formats/files.ts';
import { dataTypes } from './dataTypes.ts';
import { encodeModelMessage, type EncodeConstant } from './encode.ts';
import type { Model } from './model.ts';
import type { Tensor } from './tensor.ts';
import { encodeTensor } from './tensorWire.ts';
import { constantsIn } from './walk.ts';
import { writeMessage } from './wire.ts';

/** Smaller constants stay in the model file, where shape inference can see them. */
const LARGEST_INLINE = 1024 * 1024;

/** A page: a runtime may map weights that begin on one into memory. */
const ALIGNMENT = 4096;

/**
 * The model as one file in memory, weights inside; `file_too_large` beyond 2 GiB. Constants over
 * 1 MB that lie in files below `folder` stay there and are named only: who loads the model has to say
 * which folder it is.
 */
export function encodeModel(model: Model, folder?: string): Uint8Array {
  const encode: EncodeConstant = (tensor) =>
    folder !== undefined && liesIn(tensor, folder)
      ? reference(tensor, folder)
      : encodeTensor(tensor);
  return writeMessage('Model', encodeModelMessage(model, encode));
}

/** The deepest folder that all files with constants over 1 MB lie below; null where there is none. */
export function weightsFolder({ graph }: Model): string | null {
  const files = new Set<string>();
  for (const tensor of constantsIn(graph)) {
    const { place } = tensor.bytes;
    if (place !== undefined && isLarge(tensor)) files.add(place.file);
  }
  const [first] = files;
  let folder = dirname(first ?? '');
  while ([...files].some((file) => !isBelow(folder, file))) {
    // Files on two drives.
    if (folder === dirname(folder)) return null;
    folder = dirname(folder);
  }
  return first === undefined ? null : folder;
}

/** Whether a constant is stored beside its model rather than inside. */
export const isLarge = ({ bytes }: Tensor): boolean => bytes.length > LARGEST_INLINE;

/** Whether `encodeModel` leaves a constant in a file below this folder. */
export function liesIn(tensor: Tensor, folder: string): boolean {
  const { place } = tensor.bytes;
  return place !== undefined && isLarge(tensor) && isBelow(folder, place.file);
}

function isBelow(folder: string, file: string): boolean {
  const path = relative(folder, file);
  return !isAbsolute(path) && path.split(sep)[0] !== '..';
}

/**
 * Writes a model file; constants over 1 MB go beside it into `<path>.data` (or another ending), each
 * at a multiple of 4,096 bytes, one in memory at a time. The same model gives the same bytes.
 * Existing files are replaced when the new ones are complete, the weights first. Gives the paths of
 * the files it wrote.
 */
export function saveModel(model: Model, path: string, ending = '.data'): string[] {
  const files: Sink[] = [];
  const open = (name: string): Sink => {
    const sink = createSink(name);
    files.push(sink);
    return sink;
  };
  try {
    let weights: Sink | undefined;
    const wire = encodeModelMessage(model, (tensor) => {
      if (!isLarge(tensor)) return encodeTensor(tensor);
      weights ??= open(`${path}${ending}`);
      return writeExternal(tensor, weights, `${basename(path)}${ending}`);
    });
    open(path).write(writeMessage('Model', wire));
    for (const file of files) file.close();
    return weights === undefined ? [path] : [path, `${path}${ending}`];
  } catch (error) {
    for (const file of files) file.discard();
    throw error;
  }
}

function writeExternal(
  tensor: Parameters<EncodeConstant>[0],
  sink: Sink,
  location: string,
): ReturnType<EncodeConstant> {
  const { bytes } = tensor;
  sink.write(new Uint8Array((ALIGNMENT - (sink.position % ALIGNMENT)) % ALIGNMENT));
  const offset = sink.position;
  sink.write(bytes.read());
  return external(tensor, location, offset);
}

/** A constant that stays where it is. */
function reference(tensor: Tensor, folder: string): ReturnType<EncodeConstant> {
  const { place } = tensor.bytes;
  if (place === undefined) throw new RangeError(`in no file: ${tensor.name}`);
  return external(tensor, relative(folder, place.file).replaceAll(sep, '/'), place.offset);
}

/** A constant that lies in another file. */
function external(
  { name, dataType, dims, bytes, kept }: Tensor,
  location: string,
  offset: number,
): ReturnType<EncodeConstant> {
  return {
    ...kept,
    dims: dims.map(BigInt),
    dataType: dataTypes[dataType].code,
    name,
    externalData: [
      { key: 'location', value: location },
      { key: 'offset', value: String(offset) },
      { key: 'length', value: String(bytes.length) },
    ],
    dataLocation: 1,
  };
}
