/**
 * Writes a model with fewer experts, and without some blocks where that is asked for: kept experts are copied byte for byte
 * under their new numbers, of the router the rows for them, and the config says how many there are. Where kept experts have
 * factors, their down_proj is multiplied by them.
 */
import { join } from 'node:path';
import { withLayers } from '../checkpoint/architecture';
import { keptBlocks } from '../checkpoint/block-list';
import { expertCountFields } from '../checkpoint/families/moe';
import { isGgufCheckpoint } from '../checkpoint/gguf/name';
import {
  digestOfExperts,
  expertBlocks,
  type ExpertFactors,
  type KeptExperts,
  withKeptExperts,
} from '../checkpoint/kept-experts';
import { ofExpert } from '../checkpoint/kinds/experts';
import { requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { stacksIn } from '../checkpoint/stacks';
import { keysByName, type LayerWeightKey, weightOf } from '../checkpoint/weight-key';
import { readSmallFile } from '../files/regular-file';
import { MAX_CONFIG_BYTES } from '../formats/limits';
import type { TensorInfo } from '../formats/tensor';
import type { JobOptions } from '../progress';
import { modelName, type RunRecord } from '../records/record';
import { checkpointWeights } from '../weights/checkpoint';
import { FewerExperts } from '../weights/fewer-experts';
import { ScaledExperts } from '../weights/scaled-experts';
import type { WeightSource } from '../weights/source';
import { type ConfigEdit, configEdits, editConfigText, headEdits } from './config';
import { planGguf, writeGguf } from './gguf/write-gguf';
import { type Plan, planCheckpoint } from './plan';
import { keptName, rescaledTensors } from './rescaled-experts';
import {
  companionBytes,
  companionsOf,
  type NewCheckpoint,
  writeCheckpoint,
  type WriteOptions,
  type Written,
} from './write-checkpoint';

/** What the new checkpoint has. */
export interface FewerExpertsPlan {
  /** Of every block with experts, numbered as in the source. */
  readonly kept: KeptExperts;
  /** Blocks that are left out, ascending. */
  readonly removed: readonly number[];
  /** Of kept experts; their weights are copied if undefined. */
  readonly factors?: ExpertFactors;
}

export interface FewerExpertsWriting extends FewerExpertsPlan {
  /** @param bytes of weights, config and the files beside them */
  readonly card: (bytes: number) => string;
  readonly record: (bytes: number) => RunRecord;
}

/**
 * Of a model in GGUF files a GGUF file, of another one a folder.
 * @param out must not exist
 * @throws UserError when it cannot be written; CancelledError. No partial output remains
 */
export async function writeFewerExperts(
  checkpoint: Checkpoint,
  { card, record, ...wanted }: FewerExpertsWriting,
  out: string,
  options: WriteOptions = {},
): Promise<Omit<Written, 'record'> & { readonly bytes: number }> {
  if (isGgufCheckpoint(checkpoint)) return writeGgufFile(checkpoint, { record, ...wanted }, out, options);
  return withFewer(checkpoint, wanted, async (weights) => {
    const planned = await planFewerExperts(checkpoint, wanted, weights, options);
    const companions = await companionsOf(checkpoint);
    const bytes = planned.plan.bytes + Buffer.byteLength(planned.config) + companionBytes(companions);
    const next: NewCheckpoint = { ...planned, companions, card: card(bytes), record: () => record(bytes) };
    return { ...(await writeCheckpoint(checkpoint, next, out, options)), bytes };
  });
}

/** Stacks lose the matrices of experts that go; all other tensors but routers, and matrices with factors, are copied whole. */
async function writeGgufFile(
  checkpoint: Checkpoint,
  { record, ...wanted }: Omit<FewerExpertsWriting, 'card'>,
  out: string,
  job: JobOptions,
): Promise<Omit<Written, 'record'> & { readonly bytes: number }> {
  return withFewer(checkpoint, wanted, async (weights) => {
    const named = namedGguf(checkpoint, wanted);
    const { file, bytes } = await writeGguf(checkpoint, weights, out, { ...job, ...named, record });
    return { out: file, bytes, leftBehind: [] };
  });
}

/** The blocks of the new file, and what it says of itself. */
function namedGguf(
  checkpoint: Checkpoint,
  { kept, removed, factors }: FewerExpertsPlan,
): { readonly kept: readonly number[]; readonly description: string } {
  const architecture = requireArchitecture(checkpoint);
  const [before] = expertBlocks(architecture);
  const [left] = [...kept.values()];
  const blocks = keptBlocks(architecture.layers.length, removed);
  const without = removed.length > 0 ? ` and ${blocks.length} of its blocks` : '';
  const experts = `${left.length} of the ${before.experts.count} experts of each block`;
  const how = `${factors ? 'rescaled and ' : ''}written with Coppice`;
  return { kept: blocks, description: `${modelName(checkpoint)} with ${experts}${without}, ${how}` };
}

async function withFewer<T>(
  checkpoint: Checkpoint,
  { kept, factors }: Pick<FewerExpertsPlan, 'kept' | 'factors'>,
  use: (weights: WeightSource) => Promise<T>,
): Promise<T> {
  const fewer = new FewerExperts(checkpointWeights(checkpoint), kept);
  const weights = factors ? new ScaledExperts(fewer, factors) : fewer;
  try {
    return await use(weights);
  } finally {
    await weights.close();
  }
}

/** Room for the record of the run in a GGUF file: texts, and the number and the factor of each expert that stays. */
const recordRoom = (kept: KeptExperts): number => {
  const experts = [...kept.values()];
  return 16_384 + JSON.stringify(experts).length + FACTOR_TEXT * experts.flat().length;
};
const FACTOR_TEXT = '0.123456,'.length;

/**
 * Bytes of the files that would be written, as `writeFewerExperts` has them; of a GGUF file at most so many, because its record is in
 * it. They depend on how many experts stay, not on which.
 * @throws UserError for a model that cannot be written, and for a config that cannot be read
 */
export async function fewerExpertsBytes(checkpoint: Checkpoint, wanted: FewerExpertsPlan): Promise<number> {
  if (isGgufCheckpoint(checkpoint)) {
    const named = namedGguf(checkpoint, wanted);
    const planned = await withFewer(checkpoint, wanted, (weights) => planGguf(checkpoint, weights, named));
    return planned.layout.bytes + recordRoom(wanted.kept);
  }
  const { plan, config } = await withFewer(checkpoint, wanted, (weights) =>
    planFewerExperts(checkpoint, wanted, weights),
  );
  return plan.bytes + Buffer.byteLength(config) + companionBytes(await companionsOf(checkpoint));
}

async function planFewerExperts(
  checkpoint: Checkpoint,
  wanted: FewerExpertsPlan,
  weights: WeightSource,
  { maxShardBytes }: Pick<WriteOptions, 'maxShardBytes'> = {},
): Promise<Pick<NewCheckpoint, 'plan' | 'config' | 'architecture'>> {
  const { kept, removed } = wanted;
  const whole = requireArchitecture(checkpoint);
  const blocks = keptBlocks(whole.layers.length, removed);
  const architecture = withLayers(withKeptExperts(whole, kept), blocks);
  const config = checkpoint.config ?? {};
  const count = [...kept.values()][0].length;
  const edits: ConfigEdit[] = [
    ...(removed.length > 0 ? configEdits(config, whole, blocks) : headEdits(config, whole)),
    ...expertCountFields(config, whole.family).map((field): ConfigEdit => ({
      path: [field],
      kind: 'set',
      value: count,
    })),
  ];
  const text = (await readSmallFile(join(checkpoint.folder, 'config.json'), MAX_CONFIG_BYTES)).toString('utf8');
  return {
    plan: planOf(checkpoint, wanted, weights, maxShardBytes),
    config: editConfigText(text, edits),
    architecture,
  };
}

function planOf(
  checkpoint: Checkpoint,
  { kept, removed, factors }: FewerExpertsPlan,
  weights: WeightSource,
  maxShardBytes?: number,
): Plan {
  const architecture = requireArchitecture(checkpoint);
  const keys = keysByName(architecture);
  /** The layer of a tensor with a matrix of every expert, or with the scales of one. */
  const stacked = new Map(
    [...stacksIn(architecture, checkpoint.tensors).values()].flatMap(({ name, scales, layer }) =>
      [name, ...(scales ? [scales.name] : [])].map((each) => [each, layer] as const),
    ),
  );
  /** The key of a tensor in a block whose experts are fewer. */
  const keyOf = ({ name }: TensorInfo): LayerWeightKey | undefined => {
    const key = keys.get(name);
    return key === undefined || typeof key === 'string' || !kept.has(key.layer) ? undefined : key;
  };
  return planCheckpoint(checkpoint, removed, {
    maxShardBytes,
    notes: { 'coppice.experts': digestOfExperts(kept, factors) },
    ...(factors && { rewrite: rescaledTensors(checkpoint, kept, weights) }),
    rows: (tensor) => {
      const layer = stacked.get(tensor.name);
      if (layer !== undefined) return kept.get(layer);
      const key = keyOf(tensor);
      return key?.name === 'router' || key?.name === 'routerBias' ? kept.get(key.layer) : undefined;
    },
    renamed: (tensor) => {
      const key = keyOf(tensor);
      if (!key || !ofExpert(key.name)) return tensor.name;
      const name = keptName(key.name, kept.get(key.layer));
      return name && weightOf(architecture, { layer: key.layer, name })!.name;
    },
  });
}
