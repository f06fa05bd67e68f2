import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCapturer, type Capturer } from '../../main/capture/capture.ts';
import { openReadout, type Readout } from '../../main/capture/readout.ts';
import { subjectOf, type OpenPart } from '../../main/capture/subject.ts';
import { openPart } from '../../main/engine/calibration/sessions.ts';
import type { Model } from '../../main/onnx/model.ts';

/** A graph opened to be looked into, as a runner does. */
export interface TestSubject {
  readonly capturer: Capturer;
  readonly open: OpenPart;
  /** The end of the model; only where its residual stream is known. */
  readout(): Promise<Readout>;
  close(): Promise<void>;
}

export async function openModel(model: Model, contextLength = 128): Promise<TestSubject> {
  const scratch = mkdtempSync(join(tmpdir(), 'lathe-capture-'));
  const open: OpenPart = (part) => openPart(part, { threads: 1, device: 'cpu', scratch });
  const capturer = await openCapturer(subjectOf(model, contextLength), open);
  let readout: Readout | null = null;
  return {
    capturer,
    open,
    readout: async () => (readout ??= await openReadout(capturer.subject, open)),
    close: async () => {
      await readout?.close();
      await capturer.close();
      rmSync(scratch, { recursive: true });
    },
  };
}
