/**
 * Adapters on disk in PEFT's format: `adapter_model.safetensors` (Coppice writes float32 and also reads F16 and BF16)
 * and `adapter_config.json`. Adapters of other programs must meet the same rules as Coppice's own.
 */
import { foldersOf } from '../checkpoint/folders';
import { access, copyFile, readdir, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readConfigFile } from '../checkpoint/config-file';
import { adaptableNames, withoutLayers } from '../checkpoint/architecture';
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
import { HEALED_BELOW } from './healed-below';
import { BASE_KEY, baseNote, readBase, removedFor, type UseOfAdapter } from './base';
import { adapterConfig, readAdapterConfig } from './config';
import { ADAPTER_WEIGHTS, ADAPTER_CONFIG } from '../formats/peft';
import { notFinite, requireComplete, requireShape, type Slot, slotsOf, unknownTensor } from './tensors';
import { adapterName } from './names';

/** The content of config and header for one checkpoint, without weights. */
interface AdapterHeaders {
  readonly config: ReturnType<typeof readAdapterConfig>;
  /** Blocks of this checkpoint. */
  readonly removed: readonly number[];
  readonly healed?: string;
  readonly found: ReadonlyMap<string, { readonly slot: Slot; readonly tensor: TensorInfo }>;
}

async function readAdapterHeaders(dir: string, checkpoint: Checkpoint, use: UseOfAdapter): Promise<AdapterHeaders> {
  const folder = resolve(dir);
  await requireAdapter(folder);
  const config = readAdapterConfig((await readConfigFile(folder, ADAPTER_CONFIG)).value);
  const path = join(folder, ADAPTER_WEIGHTS);
  const { shard, tensors } = await readShardHeader(path, ADAPTER_WEIGHTS);
  const base = readBase(shard.metadata, ADAPTER_WEIGHTS);
  const whole = requireArchitecture(checkpoint);
  const removed = base ? await removedFor(base, checkpoint, whole.layers.length, use) : [];
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
  return { config, removed, healed: base?.healed, found };
}

/** Whether the adapter in the folder `dir` fits `checkpoint`, judged by its headers only. */
export async function fitsCheckpoint(dir: string, checkpoint: Checkpoint): Promise<boolean> {
  try {
    await readAdapterHeaders(dir, checkpoint, {});
    return true;
  } catch (error) {
    if (error instanceof UserError || systemErrorCode(error) !== undefined) return false;
    throw error;
  }
}

/**
 * Reads the adapter in the folder `dir` for use with `checkpoint`. Its `removed` are blocks of this checkpoint: empty
 * if the checkpoint is already pruned by them.
 * @throws UserError when it is damaged, of a kind that is not supported, or of another model
 */
export async function readAdapter(dir: string, checkpoint: Checkpoint, use: UseOfAdapter = {}): Promise<Adapter> {
  const { config, removed, healed, found } = await readAdapterHeaders(dir, checkpoint, use);
  const matrices = new Map<number, Record<string, Float32Array>>();
  for (const { slot, tensor } of found.values()) {
    const values = await readTensor(tensor);
    if (!values.every(Number.isFinite)) throw notFinite(tensor.name);
    const named = matrices.get(slot.block) ?? {};
    named[adapterName(slot.linear, slot.matrix)] = values;
    matrices.set(slot.block, named);
  }
  const targets = adaptableNames(requireArchitecture(checkpoint)).filter((name) =>
    [...found.values()].some(({ slot }) => slot.linear === name),
  );
  const { rank, alpha, dropout } = config;
  return { rank, alpha, dropout, targets, removed, ...(healed !== undefined && { healed }), matrices };
}

/** The folder may be wrong, or the adapter may have the format of old PEFT versions. */
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
 * Writes the two files of an adapter that was trained on `checkpoint` without `adapter.removed` into an existing
 * folder, replacing older ones. The weights are written atomically.
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
  const note = baseNote(checkpoint, whole.layers.length, adapter);
  await writeTensorFile(join(folder, ADAPTER_WEIGHTS), tensors, { format: 'pt', [BASE_KEY]: note });
}

/**
 * Writes the adapter into the folder `dir`, which must not exist, and reads it back before renaming it.
 * @param record of the run that trained it; becomes `coppice.json` beside the adapter
 * @param below the file of healed weights to take along, where nothing else keeps it
 * @returns the folder, absolute
 * @throws UserError when it cannot be written; no partial output remains
 */
export async function writeAdapter(
  dir: string,
  adapter: Adapter,
  checkpoint: Checkpoint,
  record?: RunRecord,
  below?: string,
): Promise<string> {
  const carried = below === undefined ? 0 : (await stat(below)).size;
  const target = await claimTarget(dir, foldersOf(checkpoint), bytesOf(adapter) + carried + OVERHEAD_BYTES);
  try {
    await saveAdapter(target.temporary, adapter, checkpoint);
    if (record) await writeRecord(join(target.temporary, RECORD_NAME), record);
    if (below !== undefined) await copyFile(below, join(target.temporary, HEALED_BELOW));
    const written = await readAdapter(target.temporary, checkpoint, { healed: adapter.healed });
    const same =
      adapterDigest(written) === adapterDigest(adapter) &&
      written.healed === adapter.healed &&
      isDeepStrictEqual(written.removed, adapter.removed);
    if (!same) {
      throw new Error('the written adapter differs from the one in memory');
    }
    await target.commit();
    return target.out;
  } catch (error) {
    await target.discard().catch(() => undefined); // the first failure is reported
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
