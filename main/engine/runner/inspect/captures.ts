import { LatheError } from '../../../../preload/contract/errors.ts';
import { freeCaptured, type Captured } from '../../../capture/captured.ts';
import type { LoadRequest } from '../source.ts';
import type { BothRead } from './pair.ts';
import { openSubject, type OpenedSubject } from './subjects.ts';

/** A capture and the model it is of. */
export interface KeptCapture {
  readonly subject: OpenedSubject;
  readonly captured: Captured;
}

/** Captures kept in one runner at most; older ones go. */
const MOST_CAPTURES = 8;
/** What they may hold together, in bytes; the newest one stays whatever it holds. */
const MOST_BYTES = 2 * 2 ** 30;

/** The form is always that of captures. */
const keyOf = (source: LoadRequest): string => JSON.stringify({ ...source, form: 'fused' });

/** Models that this runner has open to be looked into, and what was captured of them. */
export class Captures {
  /** What two models said last, and on which request. */
  lastPair: { readonly key: string; readonly both: BothRead } | null = null;
  private readonly subjects = new Map<string, OpenedSubject>();
  private readonly kept = new Map<string, KeptCapture>();
  private readonly mostSubjects: number;

  /** `mostSubjects` stay open: a model, and one that it is compared with. */
  constructor(mostSubjects = 2) {
    this.mostSubjects = mostSubjects;
  }

  isOpen(source: LoadRequest): boolean {
    return this.subjects.has(keyOf(source));
  }

  /** Opens a model, unless it is open. */
  async subject(source: LoadRequest): Promise<OpenedSubject> {
    const key = keyOf(source);
    const found = this.subjects.get(key) ?? (await openSubject(source));
    // The one used last stands last.
    this.subjects.delete(key);
    this.subjects.set(key, found);
    for (const [old, subject] of [...this.subjects].slice(0, -this.mostSubjects)) {
      this.subjects.delete(old);
      for (const [id, capture] of this.kept) if (capture.subject === subject) this.kept.delete(id);
      await subject.close();
    }
    return found;
  }

  keep(id: string, capture: KeptCapture): void {
    this.kept.set(id, capture);
    let bytes = 0;
    for (const [at, [old, { captured }]] of [...this.kept].toReversed().entries()) {
      bytes += captured.bytes;
      if (at > 0 && (at >= MOST_CAPTURES || bytes > MOST_BYTES)) this.kept.delete(old);
    }
  }

  /** Lets the oldest go until so many bytes more have room, if that is enough; frees them at once. */
  makeRoom(bytes: number, room: () => number): void {
    let held = 0;
    for (const { captured } of this.kept.values()) held += captured.bytes;
    if (bytes > room() + held) return;
    for (const [id, { captured }] of this.kept) {
      if (bytes <= room()) return;
      this.kept.delete(id);
      freeCaptured(captured);
    }
  }

  /**
   * Lets go until so many bytes more have room: models that nothing is kept of, then the oldest
   * captures, and a model with the last capture of it.
   */
  async letGo(bytes: number, room: () => number): Promise<void> {
    if (bytes > room()) await this.closeUnused();
    for (const [id, { captured }] of this.kept) {
      if (bytes <= room()) return;
      this.kept.delete(id);
      freeCaptured(captured);
      await this.closeUnused();
    }
  }

  private async closeUnused(): Promise<void> {
    const used = new Set([...this.kept.values()].map(({ subject }) => subject));
    for (const [key, subject] of this.subjects) {
      if (used.has(subject)) continue;
      this.subjects.delete(key);
      await subject.close();
    }
  }

  /** `not_found` for a capture that has gone. */
  get(id: string): KeptCapture {
    const found = this.kept.get(id);
    if (found !== undefined) return found;
    throw new LatheError('not_found', `this capture is not kept any more; run it again: ${id}`, {
      value: id,
      next: ['retry'],
    });
  }
}
