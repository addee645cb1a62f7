/** Writes a checkpoint without some blocks. */
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { checkTarget } from '../../engine/files/target';
import { mergekitRecipe, pruneLayersCommand } from '../../engine/write/recipes';
import { foldersOf } from '../../engine/write/write-checkpoint';
import { writePruned } from '../../engine/write/write-pruned';
import { writeTextFile } from '../../engine/system-failure';
import { detailsOf } from '../../engine/records/details';
import type { PruneResult } from '../../protocol/jobs';
import { checkFileTarget } from '../file-target';
import type { OptionsFor } from '../kinds';
import { type JobContext, type RunEnd, secondsSince } from '../run';
import { selectBlocks } from './select-blocks';

export async function runPrune(options: OptionsFor<'prune'>, context: JobContext): Promise<RunEnd<PruneResult>> {
  const start = performance.now();
  const { checkpoint: path, out, mergekit, llamaCpp } = options;
  for (const file of [mergekit, llamaCpp]) {
    if (file !== undefined) await checkFileTarget('the recipe', file, path);
  }
  const checkpoint = await openCheckpoint(path);
  const architecture = requireArchitecture(checkpoint);
  await checkTarget(out, foldersOf(checkpoint));
  const selection = await selectBlocks(checkpoint, architecture, options, context);
  const details = detailsOf(checkpoint, options, selection);
  const written = await writePruned(checkpoint, selection.removed, out, {
    ...context.job,
    choice: selection.choice,
    provenance: { ...details, inputs: selection.inputs, started: context.started },
  });
  if (mergekit !== undefined) await writeTextFile(mergekit, mergekitRecipe(path, written.slices, checkpoint));
  if (llamaCpp !== undefined) await writeTextFile(llamaCpp, `${pruneLayersCommand(written.removed)}\n`);
  for (const { name, why } of written.leftBehind) context.note(`${name} was not copied: ${why}`);
  const { removed, kept, slices, parametersBefore, parametersAfter, bytesBefore, bytesAfter, leftBehind } = written;
  const sizes = { parametersBefore, parametersAfter, bytesBefore, bytesAfter };
  const seconds = secondsSince(start);
  return {
    result: { removed, kept, slices, ...sizes, out: written.out, leftBehind, seconds },
    run: details,
  };
}
