/** Writes a checkpoint without some blocks. */
import { foldersOf } from '../../engine/checkpoint/folders';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { checkTarget } from '../../engine/files/target';
import { requireHealable } from '../../engine/heal/healable';
import {
  ggufOf,
  mergekitRecipe,
  pruneLayersCommand,
  requireKnownToMergekit,
  requireKnownToOthers,
} from '../../engine/write/recipes';
import { checkpointReduction } from '../../engine/checkpoint/reduction';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { inPhases } from '../../engine/progress';
import { writePruned } from '../../engine/write/write-pruned';
import { writeTextFile } from '../../engine/system-failure';
import { detailsOf } from '../../engine/records/details';
import type { PruneResult } from '../results/prune';
import { checkFileTarget, refuseExisting } from '../file-target';
import type { OptionsFor } from '../kinds';
import { type JobContext, type RunEnd, secondsSince } from '../run';
import { healingOf, outcomeOf, selectInRounds } from './rounds';
import { chooseParts } from './prune-parts';
import { selectBlocks, type SelectedBlocks } from './select-blocks';

/** Options that name the place of the new checkpoint. */
type Writing = OptionsFor<'prune'> & { readonly out: string };

export async function runPrune(options: OptionsFor<'prune'>, context: JobContext): Promise<RunEnd<PruneResult>> {
  const start = performance.now();
  const { checkpoint: path, out, mergekit, llamaCpp } = options;
  for (const file of [mergekit, llamaCpp]) {
    if (file === undefined) continue;
    await checkFileTarget('the recipe', file, path);
    await refuseExisting(file, 'Name another file.');
  }
  const checkpoint = await openCheckpoint(path);
  const architecture = requireArchitecture(checkpoint);
  const heals = options.heal === true || options.rounds !== undefined;
  if (heals) requireHealable(architecture, options.method);
  if ((mergekit ?? llamaCpp) !== undefined) requireKnownToOthers(checkpoint);
  if (mergekit !== undefined) requireKnownToMergekit(checkpoint);
  if (options.granularity === 'module') return chooseParts(checkpoint, options, context);
  if (out === undefined) return chooseOnly(checkpoint, options, context);
  await checkTarget(out, foldersOf(checkpoint));
  if (heals) return pruneAndHeal(checkpoint, { ...options, out }, context);
  const selection = await selectBlocks(checkpoint, architecture, options, context);
  const details = detailsOf(checkpoint, options, selection);
  const written = await writePruned(checkpoint, selection.removed, out, {
    ...context.job,
    choice: selection.choice,
    provenance: { ...details, inputs: selection.inputs, started: context.started },
  });
  if (mergekit !== undefined) await writeTextFile(mergekit, mergekitRecipe(path, written.slices, checkpoint));
  if (llamaCpp !== undefined)
    await writeTextFile(llamaCpp, `${pruneLayersCommand(written.removed, ggufOf(checkpoint))}\n`);
  for (const { name, why } of written.leftBehind) context.note(`${name} was not copied: ${why}`);
  const { removed, kept, slices, parametersBefore, parametersAfter, bytesBefore, bytesAfter, leftBehind } = written;
  const sizes = { parametersBefore, parametersAfter, bytesBefore, bytesAfter };
  const seconds = secondsSince(start);
  return {
    result: { removed, kept, slices, ...sizes, out: written.out, leftBehind, seconds },
    run: details,
  };
}

/** Chooses the blocks, and says what a checkpoint without them would be. */
async function chooseOnly(
  checkpoint: Checkpoint,
  options: OptionsFor<'prune'>,
  context: JobContext,
): Promise<RunEnd<PruneResult>> {
  const start = performance.now();
  const selection = await selectBlocks(checkpoint, requireArchitecture(checkpoint), options, context);
  const reduction = checkpointReduction(checkpoint, selection.removed);
  return {
    result: { ...reduction, out: null, leftBehind: [], seconds: secondsSince(start) },
    run: detailsOf(checkpoint, options, selection),
  };
}

/** Chooses the blocks, at once or in rounds, and has the rest healed. The new checkpoint is that of the healing. */
async function pruneAndHeal(
  checkpoint: Checkpoint,
  options: Writing,
  context: JobContext,
): Promise<RunEnd<PruneResult>> {
  const start = performance.now();
  const { out, rounds = 1, mergekit, llamaCpp } = options;
  const architecture = requireArchitecture(checkpoint);
  // Each round scores; all of them but the last one heal in this phase.
  const [choosing, healing] = inPhases(context.job, [{ share: 2 * rounds - 1 }, { share: 1 }]);
  const part = { ...context, job: choosing };
  const selection =
    rounds > 1
      ? await selectInRounds(checkpoint, architecture, { ...options, rounds }, part)
      : await selectBlocks(checkpoint, architecture, options, part);
  const { removed, choice } = selection;
  const given = { ...healingOf(options), remove: removed, choice, out };
  const { result: healed } = await context.run('heal', given, { job: healing });
  const { size } = await openCheckpoint(healed.out!);
  const reduction = { ...checkpointReduction(checkpoint, removed), bytesAfter: size.all };
  const last = outcomeOf(healed);
  const told = roundsOf(selection)?.map((round, r, all) => (r === all.length - 1 ? { ...round, ...last } : round));
  if (mergekit !== undefined)
    await writeTextFile(mergekit, mergekitRecipe(options.checkpoint, reduction.slices, checkpoint));
  if (llamaCpp !== undefined) await writeTextFile(llamaCpp, `${pruneLayersCommand(removed, ggufOf(checkpoint))}\n`);
  if ((mergekit ?? llamaCpp) !== undefined) context.note('the recipe removes the same blocks; it does not heal');
  const { leftBehind = [] } = healed;
  const result = { ...reduction, out: healed.out!, leftBehind, ...(told && { rounds: told }), healing: healed };
  const { method, ridge, step, stepCut, tokens, weights } = healed;
  const settings = { ...selection.settings, rounds, heal: { method, ridge, step, stepCut, tokens, weights } };
  return {
    result: { ...result, seconds: secondsSince(start) },
    run: detailsOf(checkpoint, options, { device: { provider: healed.device }, ...selection, settings }),
  };
}

const roundsOf = ({ choice }: SelectedBlocks) => (choice === 'hand' ? undefined : choice.rounds);
