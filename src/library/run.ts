/** Runs a job for a script, as the command of the same name does: the same numbers, the same record. */
import { CancelledError } from '../engine/errors';
import type { Progress } from '../engine/progress';
import { textsIn } from '../engine/records/places';
import { systemFailure } from '../engine/system-failure';
import { looksLikeRecord } from '../engine/records/record';
import { completeOptions } from '../jobs/complete';
import { checkpointsIn } from '../jobs/define';
import { JOBS } from '../jobs/definitions';
import { checkFileTarget } from '../jobs/file-target';
import type { EventFor, GivenFor, Kind, ResultFor } from '../jobs/kinds';
import { fileFor, runJob } from '../jobs/run-job';
import { claimOf } from '../sharing/claims';
import { inTurn } from '../sharing/turn';
import type { JsonObject } from '../format/json';
import { requireAround, requireObject } from './given';
import { inScriptWords, scriptText } from './naming';

/** What goes with a job besides its options. `Event` is what the job tells while it runs, if it tells anything. */
export interface RunOptions<Event = never> {
  /** Aborting it ends the job with a `CancelledError`. The job looks at it between two pieces of its work. */
  readonly signal?: AbortSignal;
  /** Called with the work done, after each piece of it. */
  readonly onProgress?: (progress: Progress) => void;
  /** Called with what may be of interest. Without it, notes are dropped. */
  readonly onNote?: (text: string) => void;
  /**
   * Called with what must not be missed: why the numbers are not what they seem. Without it, a warning is one of the
   * process, of the type `CoppiceWarning`, which Node prints on stderr.
   */
  readonly onWarning?: (text: string) => void;
  /** Called with the events of the job. */
  readonly onEvent?: (event: Event) => void;
  /** File for the record of the run, in JSON: its inputs with hashes, settings, seed, device, versions and results. */
  readonly record?: string;
}

/** @throws UserError, CancelledError */
export async function run<K extends Kind>(
  kind: K,
  given: GivenFor<K>,
  around: RunOptions<EventFor<K>> = {},
): Promise<ResultFor<K>> {
  requireObject(given, 'The options');
  requireAround(around);
  const { signal, onProgress, onNote, onWarning = warnProcess, onEvent, record } = around;
  try {
    const options = completeOptions(JOBS[kind], given);
    const source = checkpointsIn(JOBS[kind], options).at(0);
    if (record !== undefined) await checkFileTarget('the record', record, source, textsIn(options), looksLikeRecord);
    const note = (text: string): void => onNote?.(scriptText(text));
    const waiting = { signal, onWait: (why: string) => note(`waits: ${why}`) };
    const { result } = await inTurn(await claimOf(kind, given as unknown as JsonObject), waiting, () =>
      runJob(kind, options, {
        job: { signal, onProgress },
        hooks: {},
        emit: (event) => onEvent?.(event),
        place: record === undefined ? undefined : fileFor(record),
        note,
        warn: (text) => onWarning(scriptText(text)),
      }),
    );
    return result as ResultFor<K>;
  } catch (error) {
    throw failureOf(error, signal);
  }
}

/** What a script gets of an error: an error of the system becomes one with a reason and an action. */
export function failureOf(error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted && error instanceof Error && error.name === 'AbortError') return new CancelledError();
  return inScriptWords(systemFailure(error) ?? error);
}

export const warnProcess = (text: string): void => process.emitWarning(text, { type: 'CoppiceWarning' });
