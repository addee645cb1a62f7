/**
 * Jobs of agents. A short one is waited for; a long one goes on, and the agent asks for it by its id. Knows no editor
 * and no protocol.
 */
import type { JobOptions } from '../engine/progress';
import type { JobRunner } from '../jobs/runner';
import type { JobKind, JobOutcome, Jobs, JobSpec, ProgressInfo } from '../protocol/jobs';
import type { Piece } from './answer';

export type DeskState = 'running' | 'done' | 'failed' | 'cancelled';

/** What an agent started: a job, or a task of several. */
interface Started {
  /** "score-1" */
  readonly id: string;
  readonly state: DeskState;
  readonly progress?: ProgressInfo;
  /** Why it failed. */
  readonly error?: unknown;
  readonly started: Date;
  /** Undefined while it runs. */
  readonly ended?: Date;
}

/** A job that an agent started. */
export interface DeskJob<K extends JobKind = JobKind> extends Started {
  readonly spec: JobSpec & { readonly kind: K };
  readonly outcome?: JobOutcome<K>;
}

/** Several jobs, one after the other, that end with an answer. */
export interface Task {
  /** Begins its id: "recipe". No kind of a job. */
  readonly name: string;
  /** A word for lists: "Recipe". */
  readonly title: string;
  /** What it works on, for lists. */
  readonly subject: string;
  /** What remains of it when it is cancelled, as a sentence. */
  readonly remains: string;
  /** @param runner of the desk @throws UserError; CancelledError */
  run(runner: JobRunner, options: JobOptions): Promise<readonly Piece[]>;
}

/** A task that an agent started. */
export interface DeskTask extends Started, Pick<Task, 'title' | 'subject' | 'remains'> {
  readonly answer?: readonly Piece[];
}

export type DeskEntry = DeskJob | DeskTask;

export interface JobDesk {
  /**
   * Starts a job, and waits for its end for some milliseconds at most.
   * @param signal the agent gives up: while this call waits, that cancels the job
   */
  start<K extends JobKind>(spec: Jobs[K]['spec'], waitMs: number, signal?: AbortSignal): Promise<DeskJob<K>>;
  /** The same with a task. */
  begin(task: Task, waitMs: number, signal?: AbortSignal): Promise<DeskTask>;
  /**
   * Waits for the end of a job or a task for some milliseconds at most. Undefined if there is none.
   * @param signal ends the waiting, not the job
   */
  look(id: string, waitMs: number, signal?: AbortSignal): Promise<DeskEntry | undefined>;
  /** False if there is no such job, or it has ended. */
  cancel(id: string): boolean;
  /** All jobs, the newest first. */
  readonly jobs: readonly DeskJob[];
  /** All jobs and tasks, the newest first. */
  readonly all: readonly DeskEntry[];
}
