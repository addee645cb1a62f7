/** Writes a checkpoint without the blocks of a plan. */
import { openCheckpoint } from '../../engine/checkpoint/open';
import { choiceInputs, choiceSettings } from '../../engine/importance/choice';
import { writePruned } from '../../engine/write/write-pruned';
import { detailsOf } from '../../engine/records/details';
import type { PruneSpec } from '../../protocol/jobs';
import { type Job, secondsSince } from './job';

export const prune: Job<'prune', PruneSpec> = async (spec, context) => {
  const start = performance.now();
  const checkpoint = await openCheckpoint(spec.checkpoint);
  const { choice } = spec;
  const blocks = [...spec.blocks].sort((a, b) => a - b);
  const inputs = choiceInputs(choice);
  const settings = { ...(choice && choiceSettings(choice, blocks)), blocks };
  const details = detailsOf(checkpoint, spec, { inputs, settings });
  const written = await writePruned(checkpoint, blocks, spec.out, {
    ...context.job,
    choice,
    provenance: { ...details, inputs, started: context.started },
  });
  const { removed, kept, slices, parametersBefore, parametersAfter, bytesBefore, bytesAfter, out } = written;
  for (const { name, why } of written.leftBehind) context.note(`${name} was not copied: ${why}`);
  const sizes = { parametersBefore, parametersAfter, bytesBefore, bytesAfter };
  return {
    result: { removed, kept, slices, ...sizes, out, leftBehind: written.leftBehind, seconds: secondsSince(start) },
    run: details,
  };
};
