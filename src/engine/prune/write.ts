/**
 * Writes a checkpoint without some of its blocks (design: a pruned checkpoint is a byte-range copy). Order of events:
 * plan → temporary sibling folder → copy and flush → open it again and compare → rename. The source is only ever read.
 */
import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readSmallFile } from '../checkpoint/file';
import { MAX_CONFIG_BYTES } from '../checkpoint/limits';
import { requireArchitecture } from '../checkpoint/open';
import { parametersOf, parametersOfBlock } from '../checkpoint/parameters';
import type { Checkpoint } from '../checkpoint/types';
import { blockOfTensor } from '../checkpoint/weights';
import { throwIfCancelled } from '../errors';
import type { JobOptions } from '../progress';
import { modelInput, newRecord, recordText, type RunFacts, type RunRecord } from '../runs/record';
import { inheritedFields, modelCard } from './card';
import { architectureOf, checkWritten } from './check';
import { findCompanions, type LeftBehind } from './companions';
import { configEdits, editConfigText } from './config';
import { copyRanges, type CopyOptions } from './copy';
import { reductionOf, type Reduction, type Weight } from './describe';
import { planCheckpoint, type Plan } from './plan';
import { selectExplicit } from './select';
import { claimTarget } from './target';
import { writeFailure } from './write-failure';

export interface WriteOptions extends JobOptions {
  /** How the blocks were chosen: goes into the run record and the model card. */
  readonly provenance?: Partial<Pick<RunFacts, 'inputs' | 'settings' | 'seed' | 'device' | 'onnxruntime' | 'started'>>;
  /** Largest file to write, in bytes. */
  readonly maxShardBytes?: number;
  readonly bufferBytes?: number;
}

export interface WriteResult extends Reduction {
  /** The new checkpoint's folder, absolute. */
  readonly out: string;
  readonly seconds: number;
  /** Files of the model that were not copied, and why. */
  readonly leftBehind: readonly LeftBehind[];
  /** What `coppice.json` in the new folder holds. */
  readonly record: RunRecord;
}

/** Record of the run, in the new checkpoint's folder. */
export const RECORD_NAME = 'coppice.json';

/** Room for the card, the record and the file system's own bookkeeping. */
const OVERHEAD_BYTES = 1024 * 1024;

/** What removing `removed` from the checkpoint would save; nothing is written. */
export function previewReduction(checkpoint: Checkpoint, removed: readonly number[]): Reduction {
  const architecture = requireArchitecture(checkpoint);
  const perBlock: { parameters: number; bytes: number }[] = Array.from({ length: architecture.blocks }, () => ({
    parameters: parametersOfBlock(architecture),
    bytes: 0,
  }));
  const whole: Weight = { parameters: parametersOf(architecture), bytes: tensorBytes(checkpoint) };
  for (const tensor of checkpoint.tensors.values()) {
    const block = blockOfTensor(tensor.name)?.block;
    if (block !== undefined && block < architecture.blocks) perBlock[block].bytes += tensor.bytes;
  }
  return reductionOf(selectExplicit(removed, architecture.blocks), whole, perBlock);
}

/**
 * Writes the checkpoint without the blocks `removed` (0-based) to the folder `out`, which must not exist.
 * @throws UserError when it cannot be written, CancelledError when cancelled; nothing is left behind then.
 */
export async function writePruned(
  checkpoint: Checkpoint,
  removed: readonly number[],
  out: string,
  options: WriteOptions = {},
): Promise<WriteResult> {
  const started = options.provenance?.started ?? new Date();
  const clock = performance.now();
  const architecture = requireArchitecture(checkpoint);
  const reduction = previewReduction(checkpoint, removed);
  const config = (await readSmallFile(join(checkpoint.folder, 'config.json'), MAX_CONFIG_BYTES)).toString('utf8');
  const newConfig = editConfigText(config, configEdits(checkpoint.config ?? {}, architecture, reduction.kept));
  const plan = planCheckpoint(checkpoint, reduction.removed, options.maxShardBytes);
  const { found: companions, leftBehind } = await findCompanions(checkpoint.folder);
  const inherited = await inheritedFields(checkpoint.folder);
  const { provenance = {} } = options;
  const settings = { ...provenance.settings, blocks: reduction.removed };

  const sources = new Set([checkpoint.folder, ...checkpoint.shards.map((shard) => dirname(shard.file))]);
  const companionBytes = companions.reduce((sum, { bytes }) => sum + bytes, 0);
  const total = plan.bytes + companionBytes;
  throwIfCancelled(options.signal);
  const target = await claimTarget(out, [...sources], total + OVERHEAD_BYTES);
  try {
    const copy = copyOptions(options, total);
    await writeShards(plan, target.temporary, copy);
    const place = (name: string): string => join(target.temporary, name);
    for (const { name, file, bytes } of companions) {
      await mkdir(dirname(place(name)), { recursive: true });
      await writeFile(place(name), (handle) => copyRanges(handle, 0, [{ file, offset: 0, bytes }], copy));
    }
    await writeText(place('config.json'), newConfig);
    await writeText(place('README.md'), modelCard(checkpoint, reduction, provenance.settings ?? {}, inherited));
    const record = newRecord({
      ...provenance,
      kind: 'prune',
      inputs: [modelInput(checkpoint), ...(provenance.inputs ?? [])],
      settings,
      results: reduction,
      started,
    });
    await writeText(place(RECORD_NAME), recordText(record));
    await checkWritten(target.temporary, plan, architectureOf(architecture, reduction.kept), options.signal);
    throwIfCancelled(options.signal);
    await target.commit();
    return { ...reduction, out: target.out, seconds: (performance.now() - clock) / 1000, leftBehind, record };
  } catch (error) {
    // What cannot be removed keeps its temporary name; the first failure is the one to tell of.
    await target.discard().catch(() => undefined);
    throw writeFailure(error, target.out);
  }
}

const tensorBytes = (checkpoint: Checkpoint): number =>
  [...checkpoint.tensors.values()].reduce((sum, tensor) => sum + tensor.bytes, 0);

function copyOptions(options: WriteOptions, total: number): CopyOptions {
  let done = 0;
  return {
    signal: options.signal,
    bufferBytes: options.bufferBytes,
    onBytes(bytes) {
      done += bytes;
      options.onProgress?.({ label: 'writing', done, total, unit: 'bytes' });
    },
  };
}

async function writeShards(plan: Plan, folder: string, options: CopyOptions): Promise<void> {
  for (const shard of plan.shards) {
    await writeFile(join(folder, shard.name), async (handle) => {
      await handle.write(shard.header, 0, shard.header.length, 0);
      const ranges = shard.tensors.map((tensor) => tensor.source);
      await copyRanges(handle, shard.header.length, ranges, options);
    });
  }
  if (plan.index !== undefined) await writeText(join(folder, 'model.safetensors.index.json'), plan.index);
}

type Handle = Awaited<ReturnType<typeof open>>;

async function writeFile(path: string, fill: (handle: Handle) => Promise<void>): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await fill(handle);
  } finally {
    await handle.close();
  }
}

async function writeText(path: string, text: string): Promise<void> {
  await writeFile(path, async (handle) => {
    await handle.writeFile(text);
    await handle.sync();
  });
}
