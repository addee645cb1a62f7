/** Writes the model that is trained: what `retrain` would begin with, as a checkpoint. */
import { openCheckpoint, requireArchitecture } from '../engine/checkpoint/open';
import { CancelledError, UserError } from '../engine/errors';
import { HEAL_DEFAULTS } from '../engine/heal/methods';
import type { JobOptions } from '../engine/progress';
import { rowLengthOf } from '../engine/retrain/settings';
import { SELF } from '../jobs/healing-amounts';
import { healingTokens } from '../jobs/healing-tokens';
import { healedFile, healsFirst, healsUnasked } from '../jobs/heals-first';
import type { GivenFor, OptionsFor } from '../jobs/kinds';
import type { RunPart } from '../jobs/run';

interface Context {
  readonly job: JobOptions;
  readonly run: RunPart;
  readonly warn: (text: string) => void;
}

/** @param out the folder of the checkpoint @throws errors of the healing and of the export */
export async function writeStudent(
  options: OptionsFor<'retrain'>,
  out: string,
  { job, run, warn }: Context,
): Promise<void> {
  if (healsFirst({ ...options })) {
    try {
      await run('heal', await healingOf(options, out), { job });
      return;
    } catch (error) {
      if (!healsUnasked({ ...options }) || !(error instanceof UserError) || error instanceof CancelledError)
        throw error;
      warn(`the model is handed over without healing it first: ${error.message}`);
    }
  }
  const { checkpoint, remove, width, heal } = options;
  const given = {
    checkpoint,
    remove,
    width,
    heal: healedFile(heal),
    format: 'safetensors',
    out,
    verify: false,
  } as const;
  await run('export', given, { job });
}

/** The healing that `retrain` does first, into a checkpoint. */
async function healingOf(options: OptionsFor<'retrain'>, out: string): Promise<GivenFor<'heal'>> {
  const architecture = requireArchitecture(await openCheckpoint(options.checkpoint));
  const { checkpoint, remove, width, seed, bos, data, application, device, threads, memory } = options;
  // Rows of the training's length, so that both read one text.
  const length = data.includes(SELF) ? rowLengthOf(options, architecture) : undefined;
  const tokens = length === undefined ? undefined : healingTokens({ ...options }, length);
  return {
    ...{ checkpoint, remove, width, out, length, tokens, application },
    ...{ seed, bos, device, threads, memory, heldOut: HEAL_DEFAULTS.heldOut },
  };
}
