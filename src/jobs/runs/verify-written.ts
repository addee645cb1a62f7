/** Compares what was written with the model, whatever its format. */
import { join } from 'node:path';
import { openCheckpoint } from '../../engine/checkpoint/open';
import { isObject } from '../../format/json';
import { UserError } from '../../engine/errors';
import { isBelow } from '../../engine/files/paths';
import { hashFile } from '../../engine/files/regular-file';
import type { ModelOptions } from '../../engine/model/model';
import type { OpenedModel } from '../../engine/model/opened';
import type { JobOptions } from '../../engine/progress';
import { runConsumers } from '../../engine/verify/consumers/consumers';
import type { Output } from '../../engine/verify/output';
import { type Verification, verifyCheckpoint } from '../../engine/verify/verify';
import { verifyOnnx } from '../../engine/verify/verify-onnx';
import { FORMATS } from '../../engine/write/formats';
import type { ConsumerResult, VerifiedResult } from '../results/export';

/** @throws UserError when a file cannot be read; CancelledError */
export async function verifyOutput(
  opened: OpenedModel,
  { path, format }: Pick<Output, 'path' | 'format'>,
  compute: ModelOptions,
  job: JobOptions,
): Promise<Verification> {
  if (!FORMATS[format].isCheckpoint) return verifyOnnx(opened, path, compute, job);
  return verifyCheckpoint(opened, await openCheckpoint(path), compute, job);
}

/** What other programs make of the file, where they are installed. @param from a folder of programs that the user names */
export async function consumersOf(
  { path, format }: Pick<Output, 'path' | 'format'>,
  { rows, said }: Verification,
  { architecture }: OpenedModel,
  from: string | undefined,
  job: JobOptions,
): Promise<ConsumerResult[]> {
  const file = { path, rows, said, eos: architecture.eosTokenIds };
  return runConsumers(format, file, from, job);
}

/** Files that a record may name: a model of a thousand shards has fewer. */
const MAX_FILES = 10_000;

/**
 * The files of a folder beside the hashes in its record; undefined if it names none.
 * @param known hashes of files that were read already, by name
 */
export async function changedFiles(
  { path, record }: Pick<Output, 'path' | 'record'>,
  job: JobOptions,
  known?: ReadonlyMap<string, string>,
): Promise<VerifiedResult['files'] | undefined> {
  const named = Array.isArray(record?.results.files) ? record.results.files.slice(0, MAX_FILES).filter(isObject) : [];
  const changed: string[] = [];
  let checked = 0;
  for (const { name, sha256 } of named) {
    if (typeof name !== 'string' || typeof sha256 !== 'string' || !isBelow(name)) continue; // the name comes from a file
    checked++;
    if ((known?.get(name) ?? (await hashOrNothing(join(path, name), job))) !== sha256) changed.push(name);
  }
  return checked === 0 ? undefined : { checked, changed };
}

/** Undefined for a file that is gone or cannot be read. */
async function hashOrNothing(file: string, { signal }: JobOptions): Promise<string | undefined> {
  try {
    return await hashFile(file, undefined, { signal });
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}
