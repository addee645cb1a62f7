/**
 * Jobs of agents. A short one is waited for; a long one goes on, and the agent asks for it by its id. Knows no editor
 * and no protocol.
 */
import type { JobKind, JobOutcome, Jobs, JobSpec, ProgressInfo } from '../protocol/jobs';

export type DeskState = 'running' | 'done' | 'failed' | 'cancelled';

/** A job that an agent started. */
export interface DeskJob<K extends JobKind = JobKind> {
  /** "score-1" */
  readonly id: string;
  readonly spec: JobSpec & { readonly kind: K };
  readonly state: DeskState;
  readonly progress?: ProgressInfo;
  readonly outcome?: JobOutcome<K>;
  /** Why it failed. */
  readonly error?: unknown;
  readonly started: Date;
  /** Undefined while it runs. */
  readonly ended?: Date;
}

export interface JobDesk {
  /**
   * Starts a job, and waits for its end for some milliseconds at most.
   * @param signal the agent gives up: while this call waits, that cancels the job
   */
  start<K extends JobKind>(spec: Jobs[K]['spec'], waitMs: number, signal?: AbortSignal): Promise<DeskJob<K>>;
  /**
   * Waits for the end of a job for some milliseconds at most. Undefined if there is no such job.
   * @param signal ends the waiting, not the job
   */
  look(id: string, waitMs: number, signal?: AbortSignal): Promise<DeskJob | undefined>;
  /** False if there is no such job, or it has ended. */
  cancel(id: string): boolean;
  /** All jobs, the newest first. */
  readonly jobs: readonly DeskJob[];
}
