/** Writes a checkpoint with an adapter in its weights. */
import { openNarrowed } from '../../engine/weights/width-file';
import { UserError } from '../../engine/errors';
import { command } from '../../engine/option-token';
import { type PatchFile, readPatchFile } from '../../engine/weights/patch-file';
import { adapterInput, readAdapter } from '../../engine/adapter/files';
import { healedBelow } from '../../engine/adapter/healed-below';
import { targetOf } from '../../engine/adapter/names';
import { openCheckpoint } from '../../engine/checkpoint/open';
import { usedTexts } from '../../engine/records/calibrations';
import { detailsOf } from '../../engine/records/details';
import { recordIn, type RunInput } from '../../engine/records/record';
import { mergeAdapter } from '../../engine/write/merge';
import type { MergeResult } from '../results/prune';
import type { OptionsFor } from '../kinds';
import { storedDtype } from '../options/output';
import { type JobContext, type RunEnd, secondsSince } from '../run';

export async function runMerge(options: OptionsFor<'merge'>, context: JobContext): Promise<RunEnd<MergeResult>> {
  const start = performance.now();
  const dtype = storedDtype(options.dtype);
  const stored = await openCheckpoint(options.checkpoint);
  const narrowed = options.width === undefined ? undefined : await openNarrowed(stored, options.width);
  const checkpoint = narrowed?.checkpoint ?? stored;
  const heal = await healedBelow(options.adapter, checkpoint, options.heal);
  const healed = heal === undefined ? undefined : await readPatchFile(heal, checkpoint, context.job);
  if (healed) requireNothingBelow(healed);
  const use = { anyBase: options.otherBase, healed: healed?.note.digest };
  const adapter = await readAdapter(options.adapter, checkpoint, use);
  const inputs = [
    ...(narrowed ? [narrowed.file.input] : []),
    ...(healed ? [healed.input] : []),
    await adapterInput(options.adapter),
  ];
  const training = await recordIn(options.adapter);
  // What the weights and the adapter were fitted to, the merged model is fitted to.
  const texts: RunInput[] = [
    ...(healed?.note.texts ?? []).map((text) => ({ role: 'calibration', ...text })),
    ...(training ? usedTexts(training) : []),
  ];
  const merged = await mergeAdapter(checkpoint, adapter, options.out, {
    ...context.job,
    dtype,
    healed,
    training,
    provenance: { inputs: [...inputs, ...texts], started: context.started },
  });
  for (const { name, why } of merged.leftBehind) context.note(`${name} was not copied: ${why}`);
  const { removed, kept, parametersBefore, parametersAfter, bytesBefore, bytesAfter, out, leftBehind } = merged;
  const sizes = { parametersBefore, parametersAfter, bytesBefore, bytesAfter };
  const { rank, alpha, targets, matrices } = adapter;
  return {
    result: {
      removed,
      kept,
      ...sizes,
      out,
      leftBehind,
      rank,
      alpha,
      targets: targets.map(targetOf),
      adaptedBlocks: matrices.size,
      dtype: dtype ?? null,
      seconds: secondsSince(start),
    },
    run: detailsOf(checkpoint, options, { inputs, settings: { dtype: dtype ?? null, removed } }),
  };
}

/** @throws UserError for healed weights that lie on an adapter themselves */
function requireNothingBelow({ note, input }: PatchFile): void {
  if (note.adapter === undefined) return;
  throw new UserError(
    `An adapter cannot be merged into the weights of ${input.name}`,
    'they were healed with an adapter on the model, and include it',
    `Let ${command('heal')} write a checkpoint with that adapter.`,
  );
}
