/**
 * Runs a part of a job whose parts go on together, and what other parts this process has to compute so that it can go on
 * (partners.ts).
 */
import { mkdir } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { throwIfCancelled } from '../../engine/errors';
import type { Part } from '../../engine/parts/part';
import { cannotWrite } from '../../engine/system-failure';
import { announce } from '../../engine/progress';
import type { OptionsFor } from '../kinds';
import { fileFor } from '../run-job';
import type { CutKind } from './part-record';
import { Partners } from './partners';
import { partFile, partProgressFile, partsFolder, stateFolder } from './places';
import { DoneElsewhere, type PartEnvironment, type PartOutcome, requireCut, runPart } from './run-part';

export interface SharedEnvironment extends Omit<PartEnvironment, 'place' | 'progressFile' | 'shared'> {
  /** That all parts see. */
  readonly folder: string;
  /** Milliseconds before this process computes a part that has not begun. */
  readonly patience?: number;
}

/** Between two looks at a part that another process computes. */
const LOOK_MS = 1000;

/**
 * @returns undefined where another process did the part: its record is in the folder
 * @throws UserError for options that need the whole, too many parts, or when another part has failed; errors of the job
 */
export async function runSharedPart<K extends CutKind>(
  kind: K,
  options: OptionsFor<K>,
  part: Part,
  { folder, patience, job, ...around }: SharedEnvironment,
): Promise<PartOutcome | undefined> {
  requireCut(kind, options);
  for (const each of [partsFolder(folder), stateFolder(folder)]) {
    await mkdir(each, { recursive: true }).catch((error: unknown) => {
      throw cannotWrite(each, error);
    });
  }
  const stop = new AbortController();
  const signal = job.signal ? AbortSignal.any([job.signal, stop.signal]) : stop.signal;
  const run = async (number: number, onProgress: typeof job.onProgress): Promise<PartOutcome | undefined> => {
    try {
      return await partners.turns.take((rest) => {
        const look = async (waited: readonly number[]): Promise<void> => {
          if (await partners.isDone(number)) throw new DoneElsewhere();
          await partners.look(number, waited);
        };
        const shared = { folder: stateFolder(folder), look, rest };
        const files = { place: fileFor(partFile(folder, number)), progressFile: partProgressFile(folder, number) };
        return runPart(
          kind,
          options,
          { ...part, number },
          { ...around, ...files, job: { signal, onProgress }, shared },
        );
      });
    } catch (error) {
      if (error instanceof DoneElsewhere) return undefined;
      throw error;
    }
  };
  const partners = await Partners.open(folder, part.of, (number) => run(number, undefined), patience);
  try {
    if (await isComputed(partners, part.number, { ...job, signal })) return undefined;
    partners.take(part.number);
    const outcome = await run(part.number, job.onProgress);
    await partners.end();
    return outcome;
  } catch (error) {
    stop.abort();
    await partners.end().catch(() => undefined); // what ended them is this error
    throw error;
  }
}

/** Waits while another process computes the part. @returns whether it did so */
async function isComputed(partners: Partners, number: number, job: PartEnvironment['job']): Promise<boolean> {
  for (;;) {
    throwIfCancelled(job.signal);
    if (await partners.isDone(number)) return true;
    if (!(await partners.isRunning(number))) return false;
    announce(job, `another process computes part ${number}`);
    await pause(LOOK_MS, undefined, { signal: job.signal }).catch(() => undefined);
  }
}
