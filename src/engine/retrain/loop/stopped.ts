/**
 * Stopped trainings, from the folders beside their outputs: enough to list them, to resume them without options, and to
 * discard them.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { readShardHeader } from '../../formats/safetensors/file';
import { UserError } from '../../errors';
import { isObject } from '../../json';
import type { TrainingRequest } from '../request';
import { readHappened, readRun, type TrainingLog } from './training-state';
import { folderOf, ownerOf, stateFileOf, Workspace } from './workspace';

export interface StoppedTraining {
  /** The output that it was to write; its folder is `<out>.training`. */
  readonly out: string;
  /** Steps done, and wanted. */
  readonly step: number;
  readonly steps: number;
  readonly log: TrainingLog;
  /** Identity of the model that is trained. */
  readonly model: string;
  /** Undefined of a state that an older version saved. */
  readonly request?: TrainingRequest;
}

/**
 * Reads what a run to `out` has left, without its tensors.
 * @returns undefined when there is no state, or a process still trains
 * @throws UserError when the state is damaged
 */
export async function readStopped(out: string): Promise<StoppedTraining | undefined> {
  const path = stateFileOf(out);
  if (!existsSync(path) || (await ownerOf(out)) !== undefined) return undefined;
  const { shard } = await readShardHeader(path, path);
  const run = readRun(shard.metadata.run);
  const happened = readHappened(shard.metadata);
  if (!run || !happened || typeof run.steps !== 'number' || typeof run.model !== 'string') {
    throw new UserError(
      `The training in ${folderOf(out)} cannot be read`,
      'its state does not say which run it is of',
      'Discard it, and start again.',
    );
  }
  const request = readRequest(shard.metadata.request);
  const { step, log } = happened;
  return { out: resolve(out), step, steps: run.steps, log, model: run.model, ...(request && { request }) };
}

/**
 * Removes the state of a training that was stopped, and the folder unless others have put something there.
 * @throws UserError when a process still trains
 */
export async function discardTraining(out: string): Promise<void> {
  const workspace = await Workspace.reopen(out);
  try {
    await workspace.clear();
  } finally {
    await workspace.leave();
  }
}

/** Only our own writing gets here: what has the shape's outline is trusted. */
function readRequest(text: string | undefined): TrainingRequest | undefined {
  if (text === undefined) return undefined;
  try {
    const request: unknown = JSON.parse(text);
    const isOurs =
      isObject(request) &&
      typeof request.checkpoint === 'string' &&
      Array.isArray(request.removed) &&
      isObject(request.settings) &&
      isObject(request.compute);
    return isOurs ? (request as unknown as TrainingRequest) : undefined;
  } catch {
    return undefined;
  }
}
