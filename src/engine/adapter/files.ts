/**
 * Adapters on disk, as PEFT has them: `adapter_model.safetensors` (float32 here; F16 and BF16 are read too) and
 * `adapter_config.json`. What was trained elsewhere is read under the same rules as what Coppice wrote.
 */
import { access, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readConfigFile } from '../checkpoint/config-file';
import { withoutLayers } from '../checkpoint/architecture';
import { requireArchitecture } from '../checkpoint/open';
import { elements } from '../checkpoint/parameters';
import { readShardHeader } from '../formats/safetensors/file';
import { readTensor } from '../formats/read-tensor';
import { type NamedTensor, writeTensorFile } from '../formats/safetensors/tensor-file';
import type { Checkpoint } from '../checkpoint/types';
import type { TensorInfo } from '../formats/tensor';
import { systemErrorCode, UserError } from '../errors';
import { command } from '../option-token';
import { claimTarget } from '../files/target';
import { writeFailure } from '../files/write-failure';
import { hashFile } from '../files/regular-file';
import { modelName, RECORD_NAME, type RunInput, type RunRecord, writeRecord } from '../records/record';
import { type Adapter, adapterDigest } from './adapter';
import { BASE_KEY, baseNote, readBase, removedFor } from './base';
import { adapterConfig, readAdapterConfig } from './config';
import { ADAPTER_WEIGHTS, ADAPTER_CONFIG } from '../formats/peft';
import { notFinite, requireComplete, requireShape, type Slot, slotsOf, unknownTensor } from './tensors';
import { adapterName, LINEAR_NAMES } from './names';

export interface ReadAdapterOptions {
  /** Use it on another base than it was trained on, as long as its shapes fit. */
  readonly anyBase?: boolean;
}

/** What the config and the header say, for use with one checkpoint; no weights. */
interface AdapterHeaders {
  readonly config: ReturnType<typeof readAdapterConfig>;
  /** Blocks of this checkpoint. */
  readonly removed: readonly number[];
  readonly found: ReadonlyMap<string, { readonly slot: Slot; readonly tensor: TensorInfo }>;
}

async function readAdapterHeaders(dir: string, checkpoint: Checkpoint, anyBase: boolean): Promise<AdapterHeaders> {
  const folder = resolve(dir);
  await requireAdapter(folder);
  const config = readAdapterConfig((await readConfigFile(folder, ADAPTER_CONFIG)).value);
  const path = join(folder, ADAPTER_WEIGHTS);
  const { shard, tensors } = await readShardHeader(path, ADAPTER_WEIGHTS);
  const base = readBase(shard.metadata, ADAPTER_WEIGHTS);
  const whole = requireArchitecture(checkpoint);
  const removed = base ? await removedFor(base, checkpoint, whole.layers.length, anyBase) : [];
  const architecture = withoutLayers(whole, removed);
  const slots = slotsOf(architecture, config.rank);
  const found = new Map<string, { slot: Slot; tensor: TensorInfo }>();
  for (const tensor of tensors) {
    const slot = slots.get(tensor.name);
    if (!slot) throw unknownTensor(tensor.name, architecture);
    requireShape(tensor, slot, config.rank, base);
    found.set(tensor.name, { slot, tensor });
  }
  requireComplete(found, slots, config);
  return { config, removed, found };
}

/** Whether the adapter in the folder `dir` can be put on top of `checkpoint`, by its headers alone. */
export async function fitsCheckpoint(dir: string, checkpoint: Checkpoint): Promise<boolean> {
  try {
    await readAdapterHeaders(dir, checkpoint, false);
    return true;
  } catch (error) {
    if (error instanceof UserError || systemErrorCode(error) !== undefined) return false;
    throw error;
  }
}

/**
 * Reads the adapter in the folder `dir` for use with `checkpoint`. Its `removed` are blocks of this checkpoint: none
 * when the checkpoint is already without them.
 * @throws UserError when it is damaged, of a kind that is not supported, or of another model
 */
export async function readAdapter(
  dir: string,
  checkpoint: Checkpoint,
  { anyBase = false }: ReadAdapterOptions = {},
): Promise<Adapter> {
  const { config, removed, found } = await readAdapterHeaders(dir, checkpoint, anyBase);
  const matrices = new Map<number, Record<string, Float32Array>>();
  for (const { slot, tensor } of found.values()) {
    const values = await readTensor(tensor);
    if (!values.every(Number.isFinite)) throw notFinite(tensor.name);
    const named = matrices.get(slot.block) ?? {};
    named[adapterName(slot.linear, slot.matrix)] = values;
    matrices.set(slot.block, named);
  }
  const targets = LINEAR_NAMES.filter((name) => [...found.values()].some(({ slot }) => slot.linear === name));
  const { rank, alpha, dropout } = config;
  return { rank, alpha, dropout, targets, removed, matrices };
}

/** Another place may have been named, or an adapter in the format of old PEFT versions. */
async function requireAdapter(folder: string): Promise<void> {
  try {
    await access(join(folder, ADAPTER_WEIGHTS));
  } catch (error) {
    const names = await readdir(folder).catch((): string[] => []);
    const what = `No adapter to read in ${folder}`;
    if (names.includes('adapter_model.bin')) {
      throw new UserError(
        what,
        'its weights are in adapter_model.bin, a pickle; reading one can run code',
        'Save it as safetensors with a current PEFT.',
        { cause: error },
      );
    }
    throw new UserError(
      what,
      `there is no ${ADAPTER_WEIGHTS}`,
      `Name the folder that ${command('retrain')} or PEFT wrote.`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Writes the two files of an adapter that was trained on `checkpoint` without `adapter.removed` into an existing folder,
 * in the place of older ones. The weights appear whole or not at all.
 * @throws the system's error
 */
export async function saveAdapter(folder: string, adapter: Adapter, checkpoint: Checkpoint): Promise<void> {
  const whole = requireArchitecture(checkpoint);
  const pruned = withoutLayers(whole, adapter.removed);
  const adapted = [...adapter.matrices.keys()].sort((a, b) => a - b);
  const layers = adapted.length < pruned.layers.length ? adapted : undefined;
  const config = adapterConfig({ ...adapter, layers }, adapter.targets, {
    architecture: pruned,
    base: modelName(checkpoint),
  });
  await writeFile(join(folder, ADAPTER_CONFIG), `${JSON.stringify(config, null, 2)}\n`, { flush: true });
  const tensors = new Map<string, NamedTensor>();
  for (const [name, { block, linear, matrix, shape }] of slotsOf(pruned, adapter.rank)) {
    const values = adapter.matrices.get(block)?.[adapterName(linear, matrix)];
    if (!values) continue;
    if (values.length !== elements(shape)) throw new Error(`${name} has ${values.length} numbers`);
    tensors.set(name, { shape, values });
  }
  const note = baseNote(checkpoint, whole.layers.length, adapter.removed);
  await writeTensorFile(join(folder, ADAPTER_WEIGHTS), tensors, { format: 'pt', [BASE_KEY]: note });
}

/**
 * Writes the adapter into the folder `dir`, which must not exist, and reads it back before it appears there.
 * @param record of the run that trained it; becomes `coppice.json` beside the adapter
 * @returns the folder, absolute
 * @throws UserError when it cannot be written; nothing is left behind then
 */
export async function writeAdapter(
  dir: string,
  adapter: Adapter,
  checkpoint: Checkpoint,
  record?: RunRecord,
): Promise<string> {
  const sources = new Set([checkpoint.folder, ...checkpoint.shards.map((shard) => dirname(shard.file))]);
  const target = await claimTarget(dir, [...sources], bytesOf(adapter) + OVERHEAD_BYTES);
  try {
    await saveAdapter(target.temporary, adapter, checkpoint);
    if (record) await writeRecord(join(target.temporary, RECORD_NAME), record);
    const written = await readAdapter(target.temporary, checkpoint);
    const same =
      adapterDigest(written) === adapterDigest(adapter) && isDeepStrictEqual(written.removed, adapter.removed);
    if (!same) {
      throw new Error('the written adapter differs from the one in memory');
    }
    await target.commit();
    return target.out;
  } catch (error) {
    await target.discard().catch(() => undefined); // the first failure is the one to tell of
    throw writeFailure(error, target.out);
  }
}

/** Room for the header, the config and the record. */
const OVERHEAD_BYTES = 1024 * 1024;

function bytesOf({ matrices }: Adapter): number {
  const all = [...matrices.values()].flatMap((named) => Object.values(named));
  return all.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/** The adapter in the folder `dir` as an input of a run. */
export async function adapterInput(dir: string): Promise<RunInput> {
  const folder = resolve(dir);
  return { role: 'adapter', name: basename(folder), sha256: await hashFile(join(folder, ADAPTER_WEIGHTS)) };
}
