/** Writes a checkpoint with an adapter in its weights. */
import { openCheckpoint } from '../../engine/checkpoint/open';
import { adapterInput, readAdapter } from '../../engine/adapter/files';
import { recordIn } from '../../engine/records/record';
import { mergeAdapter } from '../../engine/write/merge';
import { detailsOf } from '../../engine/records/details';
import type { MergeSpec } from '../../protocol/jobs';
import { type Job, secondsSince } from './job';

export const merge: Job<'merge', MergeSpec> = async (spec, context) => {
  const start = performance.now();
  const { dtype } = spec;
  const checkpoint = await openCheckpoint(spec.checkpoint);
  const adapter = await readAdapter(spec.adapter, checkpoint, { anyBase: spec.otherBase });
  const inputs = [await adapterInput(spec.adapter)];
  const merged = await mergeAdapter(checkpoint, adapter, spec.out, {
    ...context.job,
    dtype,
    training: await recordIn(spec.adapter),
    provenance: { inputs, started: context.started },
  });
  for (const { name, why } of merged.leftBehind) context.note(`${name} was not copied: ${why}`);
  const { removed, kept, parametersBefore, parametersAfter, bytesBefore, bytesAfter, out, leftBehind } = merged;
  const { rank, alpha, targets } = adapter;
  return {
    result: {
      removed,
      kept,
      parametersBefore,
      parametersAfter,
      bytesBefore,
      bytesAfter,
      out,
      leftBehind,
      rank,
      alpha,
      targets,
      dtype: dtype ?? null,
      seconds: secondsSince(start),
    },
    run: detailsOf(checkpoint, spec, { inputs, settings: { dtype: dtype ?? null, removed } }),
  };
};
