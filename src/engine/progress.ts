/** Progress and cancellation of long operations. The engine does not know terminals or editors. */
import { throwIfCancelled } from './errors';

/** How far a job is. */
export interface Progress {
  /** The step in words: "scoring block 7". */
  readonly label: string;
  /** Work done and total work, in the operation's unit. */
  readonly done: number;
  readonly total: number;
  /**
   * Name of that unit, plural: "row-blocks", "windows", "bytes"; "share" if the phases of the job have different units.
   */
  readonly unit: string;
  /** The pace of this phase does not predict the rest, so no remaining time is estimated from it. */
  readonly unpaced?: true;
}

export interface JobOptions {
  /** Checked between runs; aborting makes the operation throw `CancelledError`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** A phase of a job that has several. */
export interface Phase {
  /** Its estimated part of the whole work, in any unit that all phases share. */
  readonly share: number;
  /** As in `Progress`: the phase's share is uncertain, or the phase is short. */
  readonly unpaced?: true;
}

/**
 * Combines the phases of a job into one progress: a share of the whole, which never decreases.
 * @returns the job for each phase, in order
 */
export function inPhases({ signal, onProgress }: JobOptions, phases: readonly Phase[]): JobOptions[] {
  const whole = phases.reduce((sum, { share }) => sum + share, 0);
  let before = 0;
  let reached = 0;
  const end = phases.findLastIndex(({ share }) => share > 0);
  return phases.map(({ share, unpaced }, at) => {
    const start = before / whole;
    before += share;
    const report = (progress: Progress): void => {
      const { done, total } = progress;
      const part = total > 0 ? Math.min(1, done / total) : 0;
      // Sums of shares are rounded, and the end must be one.
      reached = Math.max(reached, part === 1 && at >= end ? 1 : start + (part * share) / whole);
      const pace = unpaced || progress.unpaced ? { unpaced: true as const } : {};
      onProgress?.({ label: progress.label, done: reached, total: 1, unit: 'share', ...pace });
    };
    return { signal, onProgress: report };
  });
}

/** Names a part of work that memory splits: "part 2 of 5, "; empty for a single part. */
export const partName = (part: number, parts: number): string => (parts > 1 ? `part ${part + 1} of ${parts}, ` : '');

/** Reports the step of a job whose progress is not known. */
export const announce = ({ onProgress }: JobOptions, label: string): void =>
  onProgress?.({ label, done: 0, total: 0, unit: 'share', unpaced: true });

/** The same job, with the phase or round in the name of each step. */
export const labelled = ({ signal, onProgress }: JobOptions, prefix: string): JobOptions => ({
  signal,
  onProgress: (progress) => onProgress?.({ ...progress, label: `${prefix}, ${progress.label}` }),
});

/** Counts and reports the work of one job. Checks for cancellation between two pieces of work. */
export class Work {
  private done = 0;

  constructor(
    private readonly job: JobOptions,
    private readonly total: number,
    private readonly unit: string,
    private label: string,
  ) {}

  /** Names the step that starts. */
  step(label: string): void {
    this.label = label;
  }

  /** @throws CancelledError once the job's signal is aborted */
  check(): void {
    throwIfCancelled(this.job.signal);
  }

  /** Adds `amount` to the work done. @throws CancelledError */
  advance(amount: number): void {
    this.done += amount;
    this.job.onProgress?.({ label: this.label, done: this.done, total: this.total, unit: this.unit });
    this.check();
  }
}
