/** Whether a hand-over is still what was handed over: its files, its plan, its checkpoint and its original. */
import { join, resolve } from 'node:path';
import { openCheckpoint, requireArchitecture } from '../engine/checkpoint/open';
import type { Checkpoint } from '../engine/checkpoint/types';
import { UserError } from '../engine/errors';
import { hashFile } from '../engine/files/regular-file';
import type { JobOptions } from '../engine/progress';
import { recordIn } from '../engine/records/record';
import { CHECKPOINT, HELD_OUT_ROWS, MANIFEST, type Manifest, TRAIN_ROWS } from './manifest';

/** The models of a hand-over. */
export interface HandedModels {
  readonly checkpoint: Checkpoint;
  readonly original: Checkpoint;
}

/** @throws UserError naming the file and the field that is not as it was handed over; CancelledError */
export async function requireUnchanged(folder: string, manifest: Manifest, job: JobOptions): Promise<HandedModels> {
  for (const name of [`${CHECKPOINT}/config.json`, TRAIN_ROWS, HELD_OUT_ROWS]) {
    if (!Object.hasOwn(manifest.files, name)) throw changed(folder, MANIFEST, `files does not name ${name}`);
  }
  for (const [name, expected] of Object.entries(manifest.files)) {
    const found = await hashFile(join(folder, name), `reading ${name}`, job);
    if (found !== expected) throw changed(folder, name, 'its SHA-256 is another');
  }
  const checkpoint = await openCheckpoint(join(folder, CHECKPOINT));
  requireArchitecture(checkpoint);
  if (checkpoint.identity !== manifest.checkpoint.identity)
    throw changed(folder, MANIFEST, `checkpoint.identity is not that of ${CHECKPOINT}`);
  await requirePlan(folder, manifest);
  const original = await openCheckpoint(resolve(folder, manifest.teacher.place));
  if (original.identity !== manifest.teacher.identity) {
    throw changed(folder, MANIFEST, `teacher.identity is not that of ${original.path}`);
  }
  return { checkpoint, original };
}

/** The plan is also in the record of the checkpoint, whose hash is known. */
async function requirePlan(folder: string, { plan }: Manifest): Promise<void> {
  const record = await recordIn(join(folder, CHECKPOINT));
  const { removed } = record?.results ?? {};
  const identity = record?.inputs.find(({ role }) => role === 'model')?.identity;
  if (JSON.stringify(removed) !== JSON.stringify(plan.removed))
    throw changed(folder, MANIFEST, `plan.removed is not that of the record of ${CHECKPOINT}`);
  if (identity !== plan.identity)
    throw changed(folder, MANIFEST, `plan.identity is not that of the record of ${CHECKPOINT}`);
}

const changed = (folder: string, file: string, why: string): UserError =>
  new UserError(
    `${join(folder, file)} is not what was handed over`,
    why,
    'Take the result with the folder as coppice hand-over wrote it, or hand over again.',
  );
