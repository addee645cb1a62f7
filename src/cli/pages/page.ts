/** Output of a job on the command line: its events during the run, and the page at the end. */
import type { EventFor, Kind, OptionsFor } from '../../jobs/kinds';
import type { Outcome } from '../../jobs/run-job';
import type { RunResult } from '../../jobs/runs';
import type { Shell } from '../execute';

export interface Face<K extends Kind> {
  /** Prints the job's events. */
  readonly onEvent?: (event: EventFor<K>) => void;
  /** The printed events show the progress, so there is no progress line. */
  readonly showsProgress?: true;
  /** Lines after a cancelled run: what it has kept. */
  readonly onCancelled?: () => readonly string[];
  /** Whether what it found is a failure, for the exit code. */
  readonly failed?: (result: RunResult<K>) => boolean;
  /** Lines at the end. */
  readonly page: (result: RunResult<K>, outcome: Pick<Outcome<K>, 'device'>) => readonly string[];
}

/** @param shell prints nothing with `--json` */
export type Page<K extends Kind> = (options: OptionsFor<K>, shell: Shell) => Face<K>;
