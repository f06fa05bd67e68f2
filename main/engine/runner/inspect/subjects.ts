import { rmSync } from 'node:fs';
import { LatheError } from '../../../../preload/contract/errors.ts';
import { openCapturer, type Capturer } from '../../../capture/capture.ts';
import { openReadout, type Readout } from '../../../capture/readout.ts';
import { subjectOf, type OpenPart } from '../../../capture/subject.ts';
import { temporaryFolder } from '../../../library/folders.ts';
import { loadModel, type LoadedModel } from '../../../onnx/load.ts';
import { isFused } from '../../../passes/decoder.ts';
import type { PassInput } from '../../../passes/pass.ts';
import type { Tokenizer } from '../../../tokenizer/tokenizer.ts';
import { openPart } from '../../calibration/sessions.ts';
import { contextLengthIn, readConfigFile } from '../folder.ts';
import { graphOf } from '../graph.ts';
import { openGraph, ownGraph } from '../onnxFolder.ts';
import { inForm } from '../passInput.ts';
import type { LoadRequest } from '../source.ts';
import { readTokenizer } from '../tokenizer.ts';

/** A model opened to be looked into. */
export interface OpenedSubject {
  readonly source: LoadRequest;
  readonly capturer: Capturer;
  readonly tokenizer: Tokenizer;
  /** Loads a part of its graph. */
  readonly open: OpenPart;
  /** Its last norm and output matrix, loaded when they are asked for first. */
  readout(): Promise<Readout>;
  close(): Promise<void>;
}

/**
 * Opens a model of the library for captures: its fused graph, built if need be; a graph that cannot
 * be turned into that form as it is.
 */
export async function openSubject(source: LoadRequest): Promise<OpenedSubject> {
  const { folder, threads, device } = source;
  const scratch = temporaryFolder(source.graphs);
  const remove = (): void => rmSync(scratch, { recursive: true, force: true });
  // Only its name is needed: who loads a part that takes a file makes the folder again.
  remove();
  const file = await fusedGraph(source);
  try {
    const tokenizer = await readTokenizer(folder);
    const model = await inCapturedForm(file, readConfigFile(folder).json);
    const subject = subjectOf(model, contextLengthIn(folder));
    const open: OpenPart = (part) => openPart(part, { threads, device, scratch });
    const capturer = await openCapturer(subject, open);
    let readout: Promise<Readout> | null = null;
    return {
      source,
      capturer,
      tokenizer,
      open,
      readout: () => (readout ??= openReadout(subject, open)),
      close: async () => {
        await (await readout)?.close();
        await capturer.close();
        file.close();
        remove();
      },
    };
  } catch (error) {
    file.close();
    remove();
    throw error;
  }
}

/** The graph that a capture runs: the fused one, built if need be, or the folder's own as it is. */
export async function fusedGraph(source: LoadRequest): Promise<LoadedModel> {
  const own = ownGraph(source.folder);
  return own === null
    ? loadModel(await graphOf({ ...source, form: 'fused' }))
    : openGraph(source.folder, own);
}

async function inCapturedForm(model: LoadedModel, config: PassInput['config']) {
  if (isFused(model)) return model;
  try {
    return (await inForm({ model, config }, 'fuse')).model;
  } catch (error) {
    // Not of the Llama kind: its attention may be recognised all the same.
    const codes = ['graph_invalid', 'config_invalid'];
    if (error instanceof LatheError && codes.includes(error.code)) return model;
    throw error;
  }
}
