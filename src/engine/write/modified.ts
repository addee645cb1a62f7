/**
 * Writes a checkpoint with weights that differ from its source's: with a merged adapter, healed, or trained. Blocks that
 * the changed model leaves out are left out. One piece of one tensor is in memory at a time.
 */
import { join } from 'node:path';
import { isWeightDtype, type WeightDtype } from '../formats/dtype';
import { readSmallFile } from '../files/regular-file';
import { MAX_CONFIG_BYTES } from '../formats/limits';
import { withLayers } from '../checkpoint/architecture';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { keysByName } from '../checkpoint/weight-key';
import { readTensor } from '../formats/read-tensor';
import type { Rows, TensorInfo } from '../formats/tensor';
import { withChanges } from '../weights/overlay';
import type { KeyedPatch } from '../weights/patches';
import { withWeights } from '../weights/safetensors';
import { readWide, type WeightSource } from '../weights/source';
import { ROTARY_BUFFER } from '../checkpoint/verify';
import { type ConfigEdit, editConfigText, headEdits, layerEdits } from './config';
import { checkpointReduction, type Reduction } from '../checkpoint/reduction';
import { planCheckpoint } from './plan';
import type { Rewrite } from './rewrite';
import { type NewCheckpoint, writeCheckpoint, type WriteOptions, type Written } from './write-checkpoint';
import type { RunRecord } from '../records/record';

/** How the new checkpoint differs from the source. */
export interface Modification {
  /** Blocks of the source that are left out, ascending. */
  readonly removed: readonly number[];
  /** Lists of changes to single weights of the source, each on top of the one before. */
  readonly changes: Iterable<Iterable<KeyedPatch>>;
  /** The type of all weights; each keeps its own when undefined. */
  readonly dtype?: WeightDtype;
  /**
   * Notes for the header of every file. Names and sizes may equal those of the source; the notes tell the two apart.
   */
  readonly notes: Readonly<Record<string, string>>;
  readonly card: (reduction: Reduction) => Promise<string>;
  readonly record: (reduction: Reduction) => RunRecord;
}

/**
 * Writes the modified checkpoint to the folder `out`, which must not exist.
 * @throws UserError when it cannot be written or a number is out of range for its type; CancelledError. No partial
 *   output remains
 */
export async function writeModified(
  source: Checkpoint,
  modification: Modification,
  out: string,
  options: WriteOptions,
): Promise<Reduction & Written> {
  return withWeights(source, (weights) =>
    writeFrom(source, withChanges(weights, modification.changes), modification, { ...options, out }),
  );
}

async function writeFrom(
  source: Checkpoint,
  weights: WeightSource,
  modification: Modification,
  { out, ...options }: WriteOptions & { readonly out: string },
): Promise<Reduction & Written> {
  const { removed, dtype } = modification;
  const whole = requireArchitecture(source);
  const planned = checkpointReduction(source, removed);
  const plan = planCheckpoint(source, removed, {
    maxShardBytes: options.maxShardBytes,
    rewrite: rewriter(weights, dtype),
    notes: modification.notes,
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
    architecture: withLayers(whole, planned.kept),
    card: await modification.card(reduction),
    record: () => modification.record(reduction),
  };
  return { ...reduction, ...(await writeCheckpoint(source, next, out, options)) };
}

/** Copies tensors that are neither patched nor stored in another type. */
function rewriter(weights: WeightSource, dtype: WeightDtype | undefined): (tensor: TensorInfo) => Rewrite | undefined {
  const keys = keysByName(weights.architecture);
  return (tensor) => {
    if (!isWeightDtype(tensor.dtype) || tensor.name.endsWith(ROTARY_BUFFER)) return undefined;
    const key = keys.get(tensor.name);
    const own = dtype ?? tensor.dtype;
    if (own === tensor.dtype && (key === undefined || weights.stored(key))) return undefined;
    if (key) return { dtype: own, shape: weights.shape(key), read: (rows) => readWide(weights, key, rows) };
    const read = async (rows: Rows): Promise<Float64Array> => Float64Array.from(await readTensor(tensor, rows));
    return { dtype: own, shape: tensor.shape, read };
  };
}

const CONFIG_DTYPES: Readonly<Record<WeightDtype, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** The config names the type as `torch_dtype`, newer configs as `dtype`. */
function dtypeEdits(config: Readonly<Record<string, unknown>>, dtype: WeightDtype | undefined): ConfigEdit[] {
  if (dtype === undefined) return [];
  const present = ['torch_dtype', 'dtype'].filter((key) => key in config);
  const keys = present.length > 0 ? present : ['torch_dtype'];
  return keys.map((key) => ({ path: [key], kind: 'set', value: CONFIG_DTYPES[dtype] }));
}
