/** A short training of the model itself, by which the machine's speeds are known before a long one is planned. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HEAL_FIRST } from '../../jobs/heals-first';
import { SELF } from '../../jobs/healing-amounts';
import type { JobRunner } from '../../jobs/runner';
import type { JobOptions } from '../../engine/progress';
import { labelled } from '../../engine/progress';
import { TIMED } from './minutes';

/** Rows that the original writes for it, and its steps: enough that what happens once does not count. */
const ROWS = 24;
const STEPS = 8;

/** The options of the trial of a model without some blocks. */
export const trialOptions = (checkpoint: string, remove: readonly number[], out: string) => ({
  ...{ checkpoint, remove: [...remove], out, heal: HEAL_FIRST, data: [SELF], teacher: checkpoint },
  ...{ ...TIMED, selfTokens: ROWS * TIMED.length, steps: STEPS, heldOut: 0 },
});

/**
 * Writes, heals and trains a little, and leaves nothing. The text is kept as text of the original is: the long training goes on from it.
 * @param run learns from what it runs
 * @throws UserError of the training; CancelledError
 */
export async function tryTraining(
  checkpoint: string,
  remove: readonly number[],
  run: JobRunner,
  job: JobOptions = {},
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'coppice-trial-'));
  try {
    const options = trialOptions(checkpoint, remove, join(folder, 'out'));
    await run<'retrain'>({ kind: 'retrain', ...options }, labelled(job, 'trial'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
