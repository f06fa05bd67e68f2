import type {
  CompressJob,
  CompressSummary,
  Job,
  JobEvent,
  JobState,
  JobSummary,
  LayerReport,
  ModelRecord,
} from '../../preload/contract/index.ts';

/** Whether the engine still has something to do for a job. */
export const isActive = ({ state }: { state: JobState }): boolean =>
  state === 'queued' || state === 'running';

/** The job after an event of its watch. */
export function applyJobEvent(job: Job, event: JobEvent): Job {
  switch (event.kind) {
    case 'job':
      return event.job;
    case 'progress':
      return { ...job, progress: event.progress };
    case 'layer': {
      if (job.kind !== 'compress') return job;
      return { ...job, layers: [...job.layers, { step: event.step, report: event.report }] };
    }
    case 'pass':
      if (job.kind !== 'compress') return job;
      return { ...job, passes: job.passes.toSpliced(event.step, 1, event.report) };
    case 'log':
      return { ...job, log: [...job.log, event.entry] };
  }
}

/** What of a job a list shows. */
export function summaryOf(job: Job): JobSummary {
  if (job.kind === 'compress') {
    const { passes: _passes, layers: _layers, log: _log, ...summary } = job;
    return summary;
  }
  const { log: _log, ...summary } = job;
  return summary;
}

/** Whether a job makes a variant, which is what Compress shows. */
export const isCompress = (job: JobSummary): job is CompressSummary => job.kind === 'compress';

/** The layers that one pass of a job worked on; one that was done twice counts as it was last. */
export function layersOf({ layers }: Pick<CompressJob, 'layers'>, step: number): LayerReport[] {
  const latest = new Map(
    layers.filter((layer) => layer.step === step).map(({ report }) => [report.layer, report]),
  );
  return [...latest.values()];
}

/** The passes of a job that have reports of layers, in their order. */
export const stepsWithLayers = ({ layers }: Pick<CompressJob, 'layers'>): number[] =>
  [...new Set(layers.map(({ step }) => step))].toSorted((a, b) => a - b);

/** How far a batch of jobs is. */
export interface QueueProgress {
  readonly done: number;
  readonly total: number;
  /** 0 … 1, running jobs by their own progress. */
  readonly fraction: number;
}

/** The progress of several jobs together: each counts alike. */
export function queueProgress(jobs: readonly JobSummary[]): QueueProgress {
  const done = jobs.filter((job) => !isActive(job)).length;
  const running = jobs
    .filter(isActive)
    .reduce((sum, { progress }) => sum + (progress?.fraction ?? 0), 0);
  const total = jobs.length;
  return { done, total, fraction: total === 0 ? 0 : (done + running) / total };
}

/** A finished variant beside the model it was made from. */
export interface Comparison {
  readonly bytesBefore: number | null;
  readonly bytes: number;
  /** Bits per weight over all weight files. */
  readonly bitsBefore: number | null;
  readonly bits: number;
  readonly parametersBefore: number | null;
  readonly parameters: number;
  /** Mean over the layers, as the last pass that touched each left it. */
  readonly error: {
    readonly mean: number;
    readonly worst: LayerReport;
    readonly count: number;
  } | null;
}

/** Compares a variant with its parent; what is not known of the parent is null. */
export function compare(
  variant: ModelRecord,
  parent: ModelRecord | undefined,
  layers: readonly LayerReport[],
): Comparison {
  const latest = new Map(layers.map((report) => [report.layer, report]));
  const measured = [...latest.values()].filter(({ errorAfter }) => errorAfter !== null);
  const worst = measured.toSorted((a, b) => (b.errorAfter ?? 0) - (a.errorAfter ?? 0))[0];
  const sum = measured.reduce((total, { errorAfter }) => total + (errorAfter ?? 0), 0);
  return {
    bytesBefore: parent?.bytes ?? null,
    bytes: variant.bytes,
    bitsBefore: parent ? bitsOf(parent) : null,
    bits: bitsOf(variant),
    parametersBefore: parent?.parameters ?? null,
    parameters: variant.parameters,
    error: worst ? { mean: sum / measured.length, worst, count: measured.length } : null,
  };
}

const bitsOf = ({ bytes, parameters }: ModelRecord): number => (bytes * 8) / parameters;
