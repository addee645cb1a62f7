/** Runs a part of a job and writes its partial record. While it runs, a file beside it says how far it is. */
import { cpus } from 'node:os';
import { UserError } from '../../engine/errors';
import { peakRssBytes } from '../../engine/memory';
import type { Part } from '../../engine/parts/part';
import { PART_KIND } from '../../engine/records/part';
import { withPlaces } from '../../engine/records/places';
import { newRecord, type RunRecord } from '../../engine/records/record';
import { sourceChanges } from '../../engine/records/source-changes';
import { withApplication } from '../application';
import { askedOptions } from '../asked';
import { JOBS } from '../definitions';
import type { OptionsFor } from '../kinds';
import { type JobEnvironment, partRunner, type RecordPlace } from '../run-job';
import { secondsSince, watchDevice } from '../run';
import { cutJob } from './index';
import type { Shared } from './cut';
import type { CutKind, PartResults } from './part-record';
import { PartProgressFile } from './progress-file';

/** @throws UserError for options that need the whole */
export function requireCut<K extends CutKind>(kind: K, options: OptionsFor<K>): void {
  const fault = cutJob(kind).fault(withApplication(JOBS[kind], options));
  if (fault) throw new UserError(fault.what, fault.why, fault.action);
}

export interface PartOutcome {
  readonly results: PartResults;
  /** The record's path. */
  readonly record: string;
}

/**
 * @param given complete, as `completeOptions` makes them
 * @param place of the partial record, which is complete or not there
 * @param progressFile of the part; removed at its end, and left with the error where the part fails
 * @throws UserError for options that need the whole, or too many parts; errors of the job
 */
export async function runPart<K extends CutKind>(
  kind: K,
  given: OptionsFor<K>,
  part: Part,
  { place, progressFile, job: outer, hooks: outerHooks, note, warn, shared }: PartEnvironment,
): Promise<PartOutcome> {
  requireCut(kind, given);
  const cut = cutJob(kind);
  const options = cut.exactly?.(given) ?? given;
  const meant = withApplication(JOBS[kind], options);
  const progress = await PartProgressFile.begin(progressFile, { job: kind, ...part });
  try {
    const start = performance.now();
    const started = new Date();
    const job = progress.around(outer);
    const warnings: string[] = [];
    const tell = (text: string): void => {
      warnings.push(text);
      warn?.(text);
    };
    const { hooks } = watchDevice({ ...outerHooks, onNote: note });
    const say = note ?? (() => undefined);
    const run = partRunner({ job, hooks, note: say, warn: tell });
    const context = { job, hooks, emit: () => undefined, note: say, warn: tell, started, run };
    const {
      share,
      work,
      frame,
      data,
      times,
      fit,
      path: checkpoint,
      run: details,
      after,
    } = await cut.measure(meant, context, part, shared);
    const changes = await sourceChanges(details.checkpoints ?? []);
    changes.forEach(tell);
    const results: PartResults = {
      part: { job: kind, ...part },
      ...(share && { share }),
      work,
      frame,
      data,
      path: checkpoint,
      seconds: secondsSince(start),
      ...(times && { times }),
      ...(fit && { fit }),
      peakRssBytes: peakRssBytes(),
      processor: cpus().at(0)?.model.trim() ?? 'unknown',
      warnings,
    };
    const record: RunRecord = newRecord({
      kind: PART_KIND,
      ...details,
      inputs: withPlaces(details.inputs, options, place.folder, place.from),
      options: askedOptions(JOBS[kind], options, place.folder),
      results,
      notes: changes,
      started,
    });
    const path = await place.write(record);
    await after?.();
    await progress.end();
    return { results, record: path };
  } catch (error) {
    await (error instanceof DoneElsewhere ? progress.end() : progress.fail(error, outer.signal?.aborted));
    throw error;
  }
}

export interface PartEnvironment extends Pick<JobEnvironment<CutKind>, 'job' | 'hooks' | 'note' | 'warn'> {
  readonly place: RecordPlace;
  readonly progressFile: string;
  /** Of a job whose parts go on together. */
  readonly shared?: Shared;
}

/** Another process has done the part meanwhile. */
export class DoneElsewhere extends Error {
  override readonly name = 'DoneElsewhere';
}
