/**
 * A checkpoint as the computing commands need it: opened, known to be computable, with the adapter of `--adapter` and
 * the view that this and `--remove` ask for.
 */
import type { Architecture } from '../engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../engine/checkpoint/open';
import type { Checkpoint } from '../engine/checkpoint/types';
import type { AppliedAdapter } from '../engine/retrain/adapted-project';
import { applyAdapter } from '../engine/retrain/adapter';
import { adapterInput, readAdapter } from '../engine/retrain/adapter-files';
import type { RunInput } from '../engine/runs/record';
import { type Model, openModel } from '../engine/transformer/model';
import { parseRemoved, removedParts, type RemovedPart, type View, viewWithout } from '../engine/transformer/view';
import { asUsage } from './failure';
import type { AdapterOptions, ComputeOptions } from './options';

export interface Opened {
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly removed: readonly RemovedPart[];
  readonly view: View;
  /** Undefined without `--adapter`. */
  readonly adapter?: AppliedAdapter;
  /** The adapter as an input of the run. */
  readonly inputs: readonly RunInput[];
}

/** More blocks than any model has: lists are read with it to check their form alone. */
export const ANY_BLOCKS = 1000;

/**
 * @param options `remove` leaves out more than the adapter does
 * @throws UserError when the checkpoint cannot be read or computed with, lacks such blocks, or is not the adapter's;
 *   UsageError for no list
 */
export async function openForComputing(
  path: string,
  { remove, adapter: folder, otherBase }: AdapterOptions & { readonly remove?: string },
): Promise<Opened> {
  if (remove !== undefined) asUsage(() => parseRemoved(remove, ANY_BLOCKS));
  const checkpoint = await openCheckpoint(path);
  const architecture = requireArchitecture(checkpoint);
  const { blocks } = architecture;
  const named = remove === undefined ? [] : parseRemoved(remove, blocks);
  const adapter = folder === undefined ? undefined : await readAdapter(folder, checkpoint, { anyBase: otherBase });
  const view = viewWithout(blocks, [...(adapter?.removed ?? []).map((block) => ({ block })), ...named]);
  return {
    checkpoint,
    architecture,
    removed: removedParts(view),
    view,
    adapter: adapter && applyAdapter(adapter),
    inputs: folder === undefined ? [] : [await adapterInput(folder)],
  };
}

/** Opens the model, hands it to `body` and closes it, whatever happens. */
export async function withModel<T>(
  checkpoint: Checkpoint,
  options: Pick<ComputeOptions, 'device' | 'threads' | 'memory'>,
  body: (model: Model) => Promise<T>,
  adapter?: AppliedAdapter,
): Promise<T> {
  const { device, threads, memory } = options;
  const model = await openModel(checkpoint, { device, threads, memory, adapter });
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
