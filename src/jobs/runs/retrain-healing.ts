/** The healing before a training: the plan's blocks are corrected in closed form, and the training goes on from there. */
import { rm, stat } from 'node:fs/promises';
import { CancelledError, UserError } from '../../engine/errors';
import { HEAL_DEFAULTS } from '../../engine/heal/methods';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { Workspace } from '../../engine/retrain/loop/workspace';
import { rowLengthOf } from '../../engine/retrain/settings';
import { makeWorkingFolder } from '../../engine/files/working-folder';
import { SELF } from '../healing-amounts';
import { healingTokens } from '../healing-tokens';
import { healsUnasked } from '../heals-first';
import type { GivenFor, OptionsFor } from '../kinds';
import type { HealResult } from '../results/heal';
import type { JobContext } from '../run';

type Options = OptionsFor<'retrain'>;

/** Healed weights that were made for a training. */
export interface HealedFirst {
  /** Their file, in the folder of the training; undefined where healing did not help or was not possible, so the plain ones are trained. */
  readonly patch?: string;
  /** What the healing did; undefined if a stopped run had healed already, or the model cannot be healed. */
  readonly healing?: HealResult;
}

/**
 * Heals with the application's text, if there is one, else with text that the original writes, whatever the training reads.
 * @throws UserError when the output could not be written, or another run trains into it; errors of the healing
 */
export async function healFirst(options: Options, context: JobContext): Promise<HealedFirst> {
  const checkpoint = await openCheckpoint(options.checkpoint);
  const architecture = requireArchitecture(checkpoint);
  const { out, resume, remove, width, seed, bos, data, application, device, threads, memory } = options;
  const workspace = await Workspace.open(out, checkpoint, resume === true);
  await workspace.leave(); // the training takes it again
  const patch = workspace.healed;
  if (resume === true && (await isThere(patch))) return { patch };
  await makeWorkingFolder(workspace.folder);
  await rm(patch, { force: true });
  // Rows of the training's length, so that both read one text.
  const length = data.includes(SELF) ? rowLengthOf(options, architecture) : undefined;
  const tokens = length === undefined ? undefined : healingTokens({ ...options }, length);
  const given: GivenFor<'heal'> = {
    ...{ checkpoint: options.checkpoint, remove, width, patch, length, tokens, application },
    ...{ seed, bos, device, threads, memory, heldOut: HEAL_DEFAULTS.heldOut },
  };
  try {
    const { result } = await context.run('heal', given, { job: context.job });
    return { ...(result.weights === 'healed' && { patch }), healing: result };
  } catch (error) {
    if (!healsUnasked({ ...options }) || !(error instanceof UserError) || error instanceof CancelledError) throw error;
    context.warn(`the weights are trained without healing them first: ${error.message}`);
    return {};
  }
}

const isThere = (file: string): Promise<boolean> =>
  stat(file).then(
    (stats) => stats.isFile(),
    () => false,
  );
