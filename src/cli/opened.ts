/** A checkpoint as the computing commands need it: opened, known to be computable, with the view that `--remove` asks for. */
import type { Architecture } from '../engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../engine/checkpoint/open';
import type { Checkpoint } from '../engine/checkpoint/types';
import { type Model, openModel } from '../engine/transformer/model';
import { parseRemoved, type RemovedPart, type View, viewWithout } from '../engine/transformer/view';
import { asUsage } from './failure';
import type { ComputeOptions } from './options';

export interface Opened {
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly removed: readonly RemovedPart[];
  readonly view: View;
}

/** More blocks than any model has: lists are read with it to check their form alone. */
export const ANY_BLOCKS = 1000;

/** @throws UserError when the checkpoint cannot be read or computed with, or lacks such blocks; UsageError for no list */
export async function openForComputing(path: string, remove: string | undefined): Promise<Opened> {
  if (remove !== undefined) asUsage(() => parseRemoved(remove, ANY_BLOCKS));
  const checkpoint = await openCheckpoint(path);
  const architecture = requireArchitecture(checkpoint);
  const removed = remove === undefined ? [] : parseRemoved(remove, architecture.blocks);
  return { checkpoint, architecture, removed, view: viewWithout(architecture.blocks, removed) };
}

/** Opens the model, hands it to `body` and closes it, whatever happens. */
export async function withModel<T>(
  checkpoint: Checkpoint,
  options: Pick<ComputeOptions, 'device' | 'threads' | 'memory'>,
  body: (model: Model) => Promise<T>,
): Promise<T> {
  const { device, threads, memory } = options;
  const model = await openModel(checkpoint, { device, threads, memory });
  try {
    return await body(model);
  } finally {
    await model.close();
  }
}

/** As JSON has it: whole blocks as numbers, modules by name. */
export const removedJson = (removed: readonly RemovedPart[]): (number | string)[] =>
  removed.map(({ block, part }) => (part === undefined ? block : `${block}.${part}`));

/** Highest memory of this process so far. */
export const peakRssBytes = (): number => process.resourceUsage().maxRSS * 1024;

export const secondsSince = (start: number): number => (performance.now() - start) / 1000;
