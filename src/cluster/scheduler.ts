/** What Coppice needs of a scheduler. Each has a file of its own name. */
import type { ClusterRun, SchedulerName, Submission } from './folder';

/** What the scheduler knows of a part that has no record yet. */
export type QueuedState = 'running' | 'waiting';

export interface Scheduler {
  readonly name: SchedulerName;
  /** Writes what the scheduler takes into the run's folder. @returns the files @throws UserError */
  readonly write: (folder: string, run: ClusterRun) => Promise<string[]>;
  /**
   * Hands some parts of the run, and the gather after them, to the scheduler.
   * @param parts numbers; earlier submissions of these have ended
   * @throws UserError when the scheduler is not there, or refuses
   */
  readonly submit: (folder: string, run: ClusterRun, parts: readonly number[]) => Promise<Submission>;
  /**
   * The parts that are in the scheduler's hands.
   * @returns undefined if it cannot be asked from here: then only the folder tells
   */
  readonly states: (run: ClusterRun) => Promise<ReadonlyMap<number, QueuedState> | undefined>;
  /** Takes everything of the run out of the scheduler's hands. @throws UserError */
  readonly cancel: (run: ClusterRun) => Promise<void>;
}
