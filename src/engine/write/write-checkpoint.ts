/**
 * Writes a planned checkpoint. Steps: temporary sibling folder → copy or rewrite, and flush → open it again and compare
 * → rename. The source is only read.
 */
import { foldersOf } from '../checkpoint/folders';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Architecture } from '../checkpoint/architecture';
import { isGgufCheckpoint } from '../checkpoint/gguf/name';
import type { Checkpoint } from '../checkpoint/types';
import { tokenizerFilesOf } from '../tokenizer/files';
import { changedFiles } from '../files/stamps';
import { CancelledError, throwIfCancelled, UserError } from '../errors';
import type { JobOptions } from '../progress';
import { RECORD_NAME, recordTextInModel, type RunFacts, type RunRecord } from '../records/record';
import { sourceChanges, withNotes } from '../records/source-changes';
import { checkWritten } from './check';
import { type AccompanyingFile, findAccompanyingFiles, type LeftBehind } from '../checkpoint/accompanying-files';
import { copyRanges, type CopyOptions } from '../files/copy';
import { rangesOf } from '../formats/stored-tensor';
import { OutputFile } from '../files/output-file';
import type { Plan, PlannedShard } from './plan';
import { writeRewritten } from './rewrite';
import { claimTarget } from '../files/target';
import { writeFailure } from '../files/write-failure';

export interface WriteOptions extends JobOptions {
  /** Details of the run for the run record and the model card. */
  readonly provenance?: Partial<Pick<RunFacts, 'inputs' | 'settings' | 'seed' | 'device' | 'onnxruntime' | 'started'>>;
  /** Largest file to write, in bytes. */
  readonly maxShardBytes?: number;
  readonly bufferBytes?: number;
}

/** The content of a new checkpoint. */
export interface NewCheckpoint {
  readonly plan: Plan;
  /** The files that accompany its source, if they are known already. */
  readonly companions?: Companions;
  /** Text of its `config.json`. */
  readonly config: string;
  /** The expected architecture when it is opened. */
  readonly architecture: Architecture;
  /** Text of its README.md. */
  readonly card: string;
  /** Makes the record of the run, once the weights are written. */
  readonly record: () => RunRecord;
}

export interface Written {
  /** The new checkpoint's folder, absolute. */
  readonly out: string;
  /** Files of the model that were not copied, and why. */
  readonly leftBehind: readonly LeftBehind[];
  /** The content of `coppice.json` in the new folder. */
  readonly record: RunRecord;
}

/** Space for the card, the record and the file system's metadata. */
const OVERHEAD_BYTES = 1024 * 1024;

/**
 * Writes `planned`, made from `source`, to the folder `out`, which must not exist.
 * @throws UserError when it cannot be written; CancelledError. No partial output remains
 */
export async function writeCheckpoint(
  source: Checkpoint,
  planned: NewCheckpoint,
  out: string,
  options: WriteOptions,
): Promise<Written> {
  const { plan } = planned;
  const companions = planned.companions ?? (await companionsOf(source));
  const { files: accompanying, texts, leftBehind } = companions;
  const total = plan.bytes + companionBytes(companions);
  throwIfCancelled(options.signal);
  const target = await claimTarget(out, foldersOf(source), total + OVERHEAD_BYTES);
  try {
    const copy = copyOptions(options, total);
    const place = (name: string): string => join(target.temporary, name);
    await writeShards(plan, target.temporary, copy);
    for (const { name, file, bytes } of accompanying) {
      await mkdir(dirname(place(name)), { recursive: true });
      await OutputFile.fill(place(name), (output) => copyRanges(output, 0, [{ file, offset: 0, bytes }], copy));
    }
    for (const { name, text } of texts) await writeText(place(name), text);
    const record = withNotes(planned.record(), await sourceChanges([source]));
    await writeText(place('config.json'), planned.config);
    await writeText(place('README.md'), planned.card);
    await writeText(place(RECORD_NAME), recordTextInModel(record));
    await checkWritten(target.temporary, plan, planned.architecture, options.signal);
    throwIfCancelled(options.signal);
    await requireWhole(source);
    await target.commit();
    return { out: target.out, leftBehind, record };
  } catch (error) {
    // Files that cannot be removed keep their temporary names. The first error is the one to report.
    await target.discard().catch(() => undefined);
    // If the source changed in the meantime, errors look like bugs.
    if (!(error instanceof UserError) && !(error instanceof CancelledError)) await requireWhole(source);
    throw writeFailure(error, target.out);
  }
}

/** Bytes of all of them. */
export function companionBytes({ files, texts }: Companions): number {
  const sizes = [...files.map(({ bytes }) => bytes), ...texts.map(({ text }) => Buffer.byteLength(text))];
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

export interface Companions {
  readonly files: readonly AccompanyingFile[];
  /** Files that are made for the new checkpoint. */
  readonly texts: readonly { readonly name: string; readonly text: string }[];
  readonly leftBehind: readonly LeftBehind[];
}

/** What accompanies the weights: files of the source's folder, or what its GGUF file holds of them. */
export async function companionsOf(source: Checkpoint): Promise<Companions> {
  if (isGgufCheckpoint(source)) {
    try {
      return { files: [], texts: await tokenizerFilesOf(source.home), leftBehind: [] };
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return { files: [], texts: [], leftBehind: [{ name: 'tokenizer.json', why: error.texts.why }] };
    }
  }
  const { found, leftBehind } = await findAccompanyingFiles(source.folder);
  return { files: found, texts: [], leftBehind };
}

/** @throws UserError when a file of the source has changed since it was opened: the copy would mix two states */
export async function requireWhole({ files, folder }: Checkpoint): Promise<void> {
  const changed = (await changedFiles(files)).find(({ lost }) => lost);
  if (!changed) return;
  throw new UserError(
    `${join(folder, changed.name)} changed while it was copied`,
    changed.how,
    'Wait until the checkpoint is complete, then write again; no files were left behind.',
  );
}

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
    await OutputFile.fill(join(folder, shard.name), async (output) => {
      await output.handle.write(shard.header, 0, shard.header.length, 0);
      await writeTensors(output, shard, options);
    });
  }
  if (plan.index !== undefined) await writeText(join(folder, 'model.safetensors.index.json'), plan.index);
}

/** Adjacent copied tensors form one stretch; rewritten tensors are separate. */
async function writeTensors(output: OutputFile, { tensors }: PlannedShard, options: CopyOptions): Promise<void> {
  for (let i = 0; i < tensors.length;) {
    const { offset, rewrite, before } = tensors[i];
    if (rewrite) {
      await writeRewritten(output, offset, { name: before, rewrite }, options);
      i++;
    } else {
      const next = tensors.findIndex((tensor, k) => k > i && tensor.rewrite !== undefined);
      const end = next === -1 ? tensors.length : next;
      const ranges = tensors.slice(i, end).flatMap(({ source }) => (source ? rangesOf(source) : []));
      await copyRanges(output, offset, ranges, options);
      i = end;
    }
  }
}

async function writeText(path: string, text: string): Promise<void> {
  await OutputFile.fill(path, (output) => output.handle.writeFile(text));
}
