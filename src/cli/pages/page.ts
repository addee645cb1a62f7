/** How the command line shows a job: what it prints while the job runs, and the page at the end. */
import type { EventFor, Kind, OptionsFor } from '../../jobs/kinds';
import type { Outcome } from '../../jobs/run-job';
import type { RunResult } from '../../jobs/runs';
import type { Shell } from '../execute';

export interface Face<K extends Kind> {
  /** Prints what the job tells while it runs. */
  readonly onEvent?: (event: EventFor<K>) => void;
  /** What the events print shows how far the job is: no progress line beside it. */
  readonly showsProgress?: true;
  /** What the user must know of a run that was cancelled: what is kept of it. */
  readonly onCancelled?: () => readonly string[];
  /** Lines at the end. */
  readonly page: (result: RunResult<K>, outcome: Pick<Outcome<K>, 'device'>) => readonly string[];
}

/** @param shell prints nothing with `--json` */
export type Page<K extends Kind> = (options: OptionsFor<K>, shell: Shell) => Face<K>;
