/**
 * Writes a normal checkpoint with an adapter in its weights: W + (α/r) B A, rounded once to the type that it is stored
 * in (spec §1.11). Blocks that the adapter leaves out are left out, so that a view that was retrained is pruned and
 * merged in one go. One piece of one tensor is in memory at a time.
 */
import { join } from 'node:path';
import { isWeightDtype, type WeightDtype } from '../checkpoint/dtype';
import { readSmallFile } from '../checkpoint/file';
import { MAX_CONFIG_BYTES } from '../checkpoint/limits';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint, TensorInfo } from '../checkpoint/types';
import { ROTARY_BUFFER } from '../checkpoint/verify';
import { blockWeights } from '../checkpoint/weights';
import { UserError } from '../errors';
import { inheritedFields } from '../prune/card';
import { architectureOf } from '../prune/check';
import { type ConfigEdit, configEdits, editConfigText } from '../prune/config';
import { checkpointReduction, type Reduction } from '../prune/describe';
import { planCheckpoint } from '../prune/plan';
import type { Rewrite } from '../prune/rewrite';
import { writeCheckpoint, type WriteOptions, type Written } from '../prune/write-checkpoint';
import { modelInput, newRecord, readRecord, RECORD_NAME, type RunInput } from '../runs/record';
import { type Adapter, adapterDigest, LINEAR_NAMES } from './adapter';
import { adapterName } from './lora-graph';
import { mergeCard } from './merge-card';

export interface MergeOptions extends WriteOptions {
  /** The type of all weights in the new checkpoint; each keeps its own when undefined. */
  readonly dtype?: WeightDtype;
}

export interface MergeResult extends Reduction, Written {
  readonly seconds: number;
}

/**
 * Merges the adapter, as `readAdapter` read it for this checkpoint, and writes the result to the folder `out`, which
 * must not exist.
 * @throws UserError when it cannot be written or a number leaves the range of its type, CancelledError when cancelled;
 *   nothing is left behind then
 */
export async function mergeAdapter(
  checkpoint: Checkpoint,
  adapter: Adapter,
  out: string,
  options: MergeOptions = {},
): Promise<MergeResult> {
  const { dtype, provenance = {} } = options;
  const { started = new Date() } = provenance;
  const clock = performance.now();
  const whole = requireArchitecture(checkpoint);
  const planned = checkpointReduction(checkpoint, adapter.removed);
  const architecture = architectureOf(whole, planned.kept);
  const changes = changesOf(adapter, (block) => blockWeights(architecture, block));
  const digest = adapterDigest(adapter);
  const plan = planCheckpoint(checkpoint, planned.removed, {
    maxShardBytes: options.maxShardBytes,
    rewrite: (name, source) => rewriteOf(source, changes.get(name), dtype),
    // Names and sizes may be those of the source: this tells the two apart.
    notes: { 'coppice.merged': digest },
  });
  const tensors = plan.shards.flatMap((shard) => shard.tensors);
  const reduction = { ...planned, bytesAfter: tensors.reduce((sum, { bytes }) => sum + bytes, 0) };
  const settings = {
    ...provenance.settings,
    dtype,
    rank: adapter.rank,
    alpha: adapter.alpha,
    targets: adapter.targets,
    removed: adapter.removed,
  };
  const inputs = [modelInput(checkpoint), ...(provenance.inputs ?? []), ...(await calibrationsOf(checkpoint))];
  const config = (await readSmallFile(join(checkpoint.folder, 'config.json'), MAX_CONFIG_BYTES)).toString('utf8');
  const edits = [
    ...(adapter.removed.length > 0 ? configEdits(checkpoint.config ?? {}, whole, planned.kept) : []),
    ...dtypeEdits(checkpoint.config ?? {}, dtype),
  ];
  const written = await writeCheckpoint(
    checkpoint,
    {
      plan,
      config: editConfigText(config, edits),
      architecture,
      card: mergeCard(checkpoint, adapter, reduction, settings, await inheritedFields(checkpoint.folder)),
      record: () =>
        newRecord({
          ...provenance,
          kind: 'merge',
          inputs,
          settings: { ...settings, adapter: digest },
          results: reduction,
          started,
        }),
    },
    out,
    options,
  );
  return { ...reduction, ...written, seconds: (performance.now() - clock) / 1000 };
}

type Change = NonNullable<Rewrite['change']>;

/** What happens to the adapted weights, by their names in the model without the removed blocks. */
function changesOf(
  { alpha, rank, matrices }: Adapter,
  weightsOf: (block: number) => ReturnType<typeof blockWeights>,
): Map<string, Change> {
  const changes = new Map<string, Change>();
  for (const [block, named] of matrices) {
    const weights = weightsOf(block);
    for (const linear of LINEAR_NAMES) {
      const { [adapterName(linear, 'A')]: a, [adapterName(linear, 'B')]: b } = named;
      const { name, shape } = weights[linear];
      if (a && b) changes.set(name, addProduct(a, b, rank, shape[1], alpha / rank));
    }
  }
  return changes;
}

/** Adds factor · B A. a: (rank, width), b: (rows, rank) */
function addProduct(a: Float32Array, b: Float32Array, rank: number, width: number, factor: number): Change {
  return (values, start) => {
    for (let at = 0; at < values.length;) {
      const row = Math.floor((start + at) / width);
      const column = start + at - row * width;
      const end = Math.min(at + width - column, values.length);
      for (let r = 0; r < rank; r++) {
        const weight = factor * b[row * rank + r];
        const shift = r * width + column - at;
        for (let i = at; i < end; i++) values[i] += weight * a[shift + i];
      }
      at = end;
    }
  };
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

/** The texts that chose the blocks which a pruned checkpoint lacks: perplexity on them flatters the merged one too. */
async function calibrationsOf(checkpoint: Checkpoint): Promise<RunInput[]> {
  try {
    const { inputs } = await readRecord(join(checkpoint.folder, RECORD_NAME));
    return inputs.filter(({ role }) => role === 'calibration');
  } catch (error) {
    if (error instanceof UserError) return []; // most checkpoints have no such record
    throw error;
  }
}
