/** Writes a checkpoint without some of its blocks. All weights are copied as byte ranges, except those that are cut. */
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { widthSetting } from '../checkpoint/width';
import { modelInput, newRecord } from '../records/record';
import { calibrationsOf } from '../records/calibrations';
import { inheritedFields, modelCard } from './card';
import type { Choice } from '../importance/choice';
import type { Reduction } from '../checkpoint/reduction';
import { writeModified } from './modified';
import { selectExplicit } from '../importance/select';
import type { WriteOptions, Written } from './write-checkpoint';

export type { WriteOptions } from './write-checkpoint';

export interface PruneOptions extends WriteOptions {
  /** How the blocks were chosen, for the card; not mentioned when undefined. */
  readonly choice?: Choice;
}

export interface WriteResult extends Reduction, Written {
  readonly seconds: number;
}

/**
 * Writes the checkpoint without the blocks `removed` (0-based) to the folder `out`, which must not exist.
 * @throws UserError when it cannot be written; CancelledError. No partial output remains
 */
export async function writePruned(
  checkpoint: Checkpoint,
  removed: readonly number[],
  out: string,
  options: PruneOptions = {},
): Promise<WriteResult> {
  const { provenance = {}, choice } = options;
  const { started = new Date(), settings = {} } = provenance;
  const clock = performance.now();
  const blocks = selectExplicit(removed, requireArchitecture(checkpoint).layers.length);
  const inherited = await inheritedFields(checkpoint);
  const inputs = [modelInput(checkpoint), ...(provenance.inputs ?? []), ...(await calibrationsOf(checkpoint))];
  const written = await writeModified(
    checkpoint,
    {
      removed: blocks,
      changes: [],
      notes: {},
      card: (reduction) => Promise.resolve(modelCard(checkpoint, reduction, { choice, settings, inherited })),
      record: (reduction) =>
        newRecord({
          ...provenance,
          kind: 'prune',
          inputs,
          settings: { ...settings, blocks, ...widthSetting(checkpoint) },
          results: reduction,
          started,
        }),
    },
    out,
    options,
  );
  return { ...written, seconds: (performance.now() - clock) / 1000 };
}
