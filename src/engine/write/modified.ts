/**
 * Writes a checkpoint whose weights are others than its source's: with an adapter merged into them, or trained. Blocks
 * that the trained model leaves out are left out. One piece of one tensor is in memory at a time.
 */
import { join } from 'node:path';
import { isWeightDtype, type WeightDtype } from '../formats/dtype';
import { readSmallFile } from '../files/regular-file';
import { MAX_CONFIG_BYTES } from '../formats/limits';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import type { TensorInfo } from '../formats/tensor';
import { ROTARY_BUFFER } from '../checkpoint/verify';
import { architectureOf } from './check';
import { type ConfigEdit, editConfigText, headEdits, layerEdits } from './config';
import { checkpointReduction, type Reduction } from '../checkpoint/reduction';
import { planCheckpoint } from './plan';
import type { Rewrite } from './rewrite';
import { type NewCheckpoint, writeCheckpoint, type WriteOptions, type Written } from './write-checkpoint';
import type { RunRecord } from '../records/record';

export type Change = NonNullable<Rewrite['change']>;

/** What the new checkpoint has that the source has not. */
export interface Revision {
  /** Blocks of the source that are left out, ascending. */
  readonly removed: readonly number[];
  /** By names of the new checkpoint: what happens to a weight. */
  readonly change: (name: string) => Change | undefined;
  /** The type of all weights; each keeps its own when undefined. */
  readonly dtype?: WeightDtype;
  /** For the header of every file: names and sizes may be those of the source, these tell the two apart. */
  readonly notes: Readonly<Record<string, string>>;
  readonly card: (reduction: Reduction) => Promise<string>;
  readonly record: (reduction: Reduction) => RunRecord;
}

/**
 * Writes the revised checkpoint to the folder `out`, which must not exist.
 * @throws UserError when it cannot be written or a number leaves the range of its type, CancelledError when cancelled;
 *   nothing is left behind then
 */
export async function writeModified(
  source: Checkpoint,
  revision: Revision,
  out: string,
  options: WriteOptions,
): Promise<Reduction & Written> {
  const { removed, dtype } = revision;
  const whole = requireArchitecture(source);
  const planned = checkpointReduction(source, removed);
  const plan = planCheckpoint(source, removed, {
    maxShardBytes: options.maxShardBytes,
    rewrite: (name, tensor) => rewriteOf(tensor, revision.change(name), dtype),
    notes: revision.notes,
  });
  const tensors = plan.shards.flatMap((shard) => shard.tensors);
  const reduction = { ...planned, bytesAfter: tensors.reduce((sum, { bytes }) => sum + bytes, 0) };
  const config = (await readSmallFile(join(source.folder, 'config.json'), MAX_CONFIG_BYTES)).toString('utf8');
  const edits = [
    ...headEdits(source.config ?? {}, whole),
    ...(removed.length > 0 ? layerEdits(source.config ?? {}, whole, planned.kept) : []),
    ...dtypeEdits(source.config ?? {}, dtype),
  ];
  const next: NewCheckpoint = {
    plan,
    config: editConfigText(config, edits),
    architecture: architectureOf(whole, planned.kept),
    card: await revision.card(reduction),
    record: () => revision.record(reduction),
  };
  return { ...reduction, ...(await writeCheckpoint(source, next, out, options)) };
}

function rewriteOf(
  source: TensorInfo,
  change: Change | undefined,
  dtype: WeightDtype | undefined,
): Rewrite | undefined {
  if (!isWeightDtype(source.dtype) || source.name.endsWith(ROTARY_BUFFER)) return undefined;
  const stored = dtype ?? source.dtype;
  return change || stored !== source.dtype ? { dtype: stored, change } : undefined;
}

const CONFIG_DTYPES: Readonly<Record<WeightDtype, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** The config names the type as `torch_dtype`, newer ones as `dtype`. */
function dtypeEdits(config: Readonly<Record<string, unknown>>, dtype: WeightDtype | undefined): ConfigEdit[] {
  if (dtype === undefined) return [];
  const present = ['torch_dtype', 'dtype'].filter((key) => key in config);
  const keys = present.length > 0 ? present : ['torch_dtype'];
  return keys.map((key) => ({ path: [key], kind: 'set', value: CONFIG_DTYPES[dtype] }));
}
