/** What Coppice needs of a scheduler. Each has a file of its own name. */
import type { ClusterRun, SchedulerName, Submission } from './folder';

/** What the scheduler knows of a part, or of the gather. */
export interface Queued {
  /** `ended`: the scheduler remembers that it had it. */
  readonly state: 'running' | 'waiting' | 'ended';
  /** The machine that it runs on, or ran on. */
  readonly host?: string;
  /** Why it waits or ended, in the scheduler's words: "Resources", "TIMEOUT". Undefined where these say nothing. */
  readonly reason?: string;
}

/** What the scheduler has of a run. */
export interface Queue {
  /** By number. A part that is missing is not in the scheduler's hands. */
  readonly parts: ReadonlyMap<number, Queued>;
  readonly gather?: Queued;
}

export interface Scheduler {
  readonly name: SchedulerName;
  /**
   * The path that the machines of the cluster have for one of the user's. Absent where it is the same.
   * @throws UserError for a path that they do not see
   */
  readonly place?: (path: string, asked: ClusterRun['asked']) => string;
  /** Writes what the scheduler takes into the run's folder. @returns the files @throws UserError */
  readonly write: (folder: string, run: ClusterRun) => Promise<string[]>;
  /** Files of the run's folder that a submission runs as they lie there: users may change them. */
  readonly scripts: (folder: string) => readonly string[];
  /**
   * Hands some parts of the run, and a new gather after these and all that still run, to the scheduler.
   * @param parts numbers; earlier submissions of these have ended. With none, only the gather is handed over
   * @returns with no parts, `id` is the gather's
   * @throws UserError when the scheduler is not there, or refuses: then it has nothing of what was to be handed over
   */
  readonly submit: (folder: string, run: ClusterRun, parts: readonly number[]) => Promise<Submission>;
  /**
   * What is in the scheduler's hands.
   * @returns undefined if it cannot be asked from here: then only the folder tells
   * @throws UserError for an answer that is none
   */
  readonly queue: (run: ClusterRun) => Promise<Queue | undefined>;
  /** Takes everything of the run out of the scheduler's hands, or only its gathers. @throws UserError */
  readonly cancel: (run: ClusterRun, only?: 'gather') => Promise<void>;
  /** The command that the user types, where Coppice does not hand runs over. @param folder of the run, as it is shown */
  readonly launch?: (folder: string) => string;
  /** CPU threads that a part gets by the options; undefined where these do not say. */
  readonly threads?: (asked: ClusterRun['asked']) => number | undefined;
}
