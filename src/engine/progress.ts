/** What a long operation reports and listens to. The engine knows nothing of terminals or editors. */
import { throwIfCancelled } from './errors';

export interface Progress {
  /** The step in words: "scoring block 7". */
  readonly label: string;
  /** Work done and to be done, in the operation's own unit. */
  readonly done: number;
  readonly total: number;
  /** Name of that unit, plural: "row-blocks", "windows", "bytes". */
  readonly unit: string;
}

export interface JobOptions {
  /** Checked between runs; aborting makes the operation throw `CancelledError`. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

/** Counts the work of one job and reports it; between two pieces of work it is where cancellation is noticed. */
export class Work {
  private done = 0;

  constructor(
    private readonly job: JobOptions,
    private readonly total: number,
    private readonly unit: string,
    private label: string,
  ) {}

  /** Names the step that starts now. */
  step(label: string): void {
    this.label = label;
  }

  /** @throws CancelledError once the job's signal is aborted */
  check(): void {
    throwIfCancelled(this.job.signal);
  }

  /** `amount` more is done. @throws CancelledError */
  advance(amount: number): void {
    this.done += amount;
    this.job.onProgress?.({ label: this.label, done: this.done, total: this.total, unit: this.unit });
    this.check();
  }
}
