/** Writes a checkpoint without some of its blocks. All weights are copied as byte ranges. */
import { join } from 'node:path';
import { readSmallFile } from '../files/regular-file';
import { MAX_CONFIG_BYTES } from '../formats/limits';
import { withLayers } from '../checkpoint/architecture';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { modelInput, newRecord } from '../records/record';
import { calibrationsOf } from '../records/calibrations';
import { inheritedFields, modelCard } from './card';
import type { Choice } from '../importance/choice';
import { configEdits, editConfigText } from './config';
import { checkpointReduction, type Reduction } from '../checkpoint/reduction';
import { planCheckpoint } from './plan';
import { selectExplicit } from '../importance/select';
import { writeCheckpoint, type WriteOptions, type Written } from './write-checkpoint';

export type { WriteOptions } from './write-checkpoint';

export interface PruneOptions extends WriteOptions {
  /** How the blocks were chosen, for the card; not mentioned when undefined. */
  readonly choice?: Choice;
}

export interface WriteResult extends Reduction, Written {
  readonly seconds: number;
}

/**
 * The savings from removing `removed`; writes nothing.
 * @throws UserError for no blocks, unknown blocks or all blocks
 */
export function previewReduction(checkpoint: Checkpoint, removed: readonly number[]): Reduction {
  const blocks = requireArchitecture(checkpoint).layers.length;
  return checkpointReduction(checkpoint, selectExplicit(removed, blocks));
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
  const architecture = requireArchitecture(checkpoint);
  const reduction = previewReduction(checkpoint, removed);
  const inherited = await inheritedFields(checkpoint.folder);
  const inputs = [modelInput(checkpoint), ...(provenance.inputs ?? []), ...(await calibrationsOf(checkpoint))];
  const config = (await readSmallFile(join(checkpoint.folder, 'config.json'), MAX_CONFIG_BYTES)).toString('utf8');
  const written = await writeCheckpoint(
    checkpoint,
    {
      plan: planCheckpoint(checkpoint, reduction.removed, { maxShardBytes: options.maxShardBytes }),
      config: editConfigText(config, configEdits(checkpoint.config ?? {}, architecture, reduction.kept)),
      architecture: withLayers(architecture, reduction.kept),
      card: modelCard(checkpoint, reduction, { choice, settings, inherited }),
      record: () =>
        newRecord({
          ...provenance,
          kind: 'prune',
          inputs,
          settings: { ...settings, blocks: reduction.removed },
          results: reduction,
          started,
        }),
    },
    out,
    options,
  );
  return { ...reduction, ...written, seconds: (performance.now() - clock) / 1000 };
}
