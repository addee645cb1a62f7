/** Runs a pair on its texts: in its program, or in Coppice where both models are checkpoints. */
import { join } from 'node:path';
import { runPairHere } from '../../engine/draft/here';
import { compareRun, type ComparedRun } from '../../engine/draft/compare-run';
import type { PairSettings, PairText } from '../../engine/draft/pair-file';
import { RUNTIME_FACTS } from '../../engine/draft/runtimes';
import type { ModelOptions } from '../../engine/model/model';
import { option } from '../../engine/option-token';
import type { JobOptions } from '../../engine/progress';
import { PAIR_PLACES, PAIR_PROGRAMS, runPairIn } from '../../engine/verify/consumers/pairs';
import { FORMATS } from '../../engine/write/formats';
import type { PairVerified } from '../results/draft';

/** A pair that can be run. */
export interface RunnablePair extends Omit<PairSettings, 'temperature'> {
  readonly texts: readonly PairText[];
}

export interface PairPrograms {
  /** Whether programs of others may be started. */
  readonly consumers?: boolean;
  /** A folder of programs that the user names. */
  readonly consumersFrom?: string;
}

/** What came of it. */
export interface PairRan {
  /** Null where it was not run. */
  readonly verified: PairVerified | null;
  /** Version of the program that ran it; null for Coppice, and where it was not run. */
  readonly version: string | null;
  /** Why it was not run, or not in its program. */
  readonly why?: string;
  /** Whether its program refused it, or broke on it. */
  readonly isRefused?: true;
}

/**
 * @param folder absolute, with both models
 * @param compute of Coppice, where it runs the pair itself; always on the CPU
 * @throws UserError when Coppice cannot read a model; CancelledError
 */
export async function runPair(
  pair: RunnablePair,
  folder: string,
  { consumers, consumersFrom }: PairPrograms,
  compute: ModelOptions,
  job: JobOptions,
): Promise<PairRan> {
  const { runtime, texts, length, threshold } = pair;
  const program = PAIR_PROGRAMS[runtime];
  if (texts.length === 0) return notRun('there are no texts of the model beside it');
  let why = `${program} runs it with ${option('consumers')}`;
  if (consumers) {
    const ran = await runPairIn(runtime, folder, { texts, length, threshold }, { from: consumersFrom }, job);
    if (ran && 'failure' in ran) return { ...notRun(`${program}: ${ran.failure}`), isRefused: true };
    if (ran) {
      const by = ran.version === undefined ? ran.name : `${ran.name} ${ran.version}`;
      return { verified: resultOf(by, compareRun(texts, ran.texts)), version: ran.version ?? null };
    }
    why = `${program} is not installed`;
  }
  const { format, threshold: ends } = RUNTIME_FACTS[runtime];
  if (!FORMATS[format].isCheckpoint) return notRun(`only its files were looked at: ${why}`);
  const { target, draft } = PAIR_PLACES[runtime];
  const paths = { target: join(folder, target), draft: join(folder, draft) };
  const run = { texts, length, threshold, inclusive: ends === 'inclusive' };
  const ran = await runPairHere(paths, run, { ...compute, device: 'cpu' }, job);
  return { verified: resultOf('Coppice', compareRun(texts, ran)), version: null, why };
}

const notRun = (why: string): PairRan => ({ verified: null, version: null, why });

const resultOf = (by: string, { textsOther, ...result }: ComparedRun): PairVerified => ({
  by,
  ...result,
  ...(textsOther > 0 && { textsOther }),
});
