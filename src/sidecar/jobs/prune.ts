/** Writes a checkpoint without the blocks of a plan. */
import { openCheckpoint } from '../../engine/checkpoint/open';
import { writePruned } from '../../engine/prune/write';
import { detailsOf } from '../../engine/runs/details';
import type { PruneSpec } from '../../protocol/jobs';
import { type Job, secondsSince } from './job';

export const prune: Job<'prune', PruneSpec> = async (spec, context) => {
  const start = performance.now();
  const checkpoint = await openCheckpoint(spec.checkpoint);
  const calibration = spec.calibration && { role: 'calibration', ...spec.calibration };
  const inputs = calibration ? [calibration] : [];
  const details = detailsOf(checkpoint, spec, { inputs, settings: { ...spec.settings, blocks: spec.blocks } });
  const written = await writePruned(checkpoint, spec.blocks, spec.out, {
    ...context.job,
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
