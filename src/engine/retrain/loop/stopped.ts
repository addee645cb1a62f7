/**
 * Stopped trainings, from the folders beside their outputs: enough to list them, to resume them without options, and to
 * discard them.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { readShardHeader } from '../../formats/safetensors/file';
import { UserError } from '../../errors';
import { isObject, type JsonObject } from '../../../format/json';
import type { TrainingRequest } from '../request';
import { readHappened, readRun, type TrainingLog } from './training-state';
import { folderOf, ownerOf, stateFileOf, Workspace } from './workspace';

export interface StoppedTraining {
  /** The output of the run; the state is in `<out>.training`. */
  readonly out: string;
  /** Steps done, and requested. */
  readonly step: number;
  readonly steps: number;
  readonly log: TrainingLog;
  /** Identity of the trained model. */
  readonly model: string;
  /** Undefined in a state that an older version saved. */
  readonly request?: TrainingRequest;
}

/**
 * Reads the state of a run to `out`, without its tensors.
 * @returns undefined when there is no state, or a process is still training
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
      'its state does not say which run it belongs to',
      'Discard it and start again.',
    );
  }
  const request = readRequest(shard.metadata.request);
  const { step, log } = happened;
  return { out: resolve(out), step, steps: run.steps, log, model: run.model, ...(request && { request }) };
}

/**
 * Removes the state of a stopped training, and its folder unless it contains other files.
 * @throws UserError when a process is still training
 */
export async function discardTraining(out: string): Promise<void> {
  const workspace = await Workspace.reopen(out);
  try {
    await workspace.clear();
  } finally {
    await workspace.leave();
  }
}

/** The state's checksum matched, so its writer was Coppice, and a check of the outline suffices. */
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
    if (!isOurs) return undefined;
    // States of before there was a choice: the tokenizer decided how texts begin.
    const settings = { bos: 'stream', ...(request.settings as JsonObject) };
    return { ...request, settings } as unknown as TrainingRequest;
  } catch {
    return undefined;
  }
}
