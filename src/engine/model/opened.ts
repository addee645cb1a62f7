/**
 * A checkpoint for a computing job: open and supported, with its adapter and the view that follows from the adapter and
 * from the blocks to leave out.
 */
import type { Architecture } from '../checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import type { KeyedPatch } from '../weights/patches';
import { adapterPatches } from '../adapter/adapter';
import { adapterInput, readAdapter } from '../adapter/files';
import type { RunInput } from '../records/record';
import { type Model, type ModelOptions, openModel } from './model';
import { removedFrom, removedParts, type RemovedPart, type View, viewWithout } from './view';

export interface ModelSelection {
  /** Blocks and modules to leave out, [10, "12.ffn"], in addition to those that the adapter leaves out. */
  readonly remove?: readonly (number | string)[];
  /** Folder of an adapter. */
  readonly adapter?: string;
  /** Use the adapter although it was trained on other files. */
  readonly otherBase?: boolean;
}

export interface OpenedModel {
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly removed: readonly RemovedPart[];
  readonly view: View;
  /** The adapter's changes to the weights; undefined without an adapter. */
  readonly adapter?: readonly KeyedPatch[];
  /** The adapter as an input of the run. */
  readonly inputs: readonly RunInput[];
}

/**
 * @throws UserError when the checkpoint cannot be read or computed with, does not have these blocks, or does not belong
 * to the adapter
 */
export async function openForComputing(
  path: string,
  { remove, adapter: folder, otherBase }: ModelSelection,
): Promise<OpenedModel> {
  const checkpoint = await openCheckpoint(path);
  const architecture = requireArchitecture(checkpoint);
  const blocks = architecture.layers.length;
  const named = removedFrom(remove ?? [], blocks);
  const adapter = folder === undefined ? undefined : await readAdapter(folder, checkpoint, { anyBase: otherBase });
  const view = viewWithout(blocks, [...(adapter?.removed ?? []).map((block) => ({ block })), ...named]);
  return {
    checkpoint,
    architecture,
    removed: removedParts(view),
    view,
    adapter: adapter && adapterPatches(adapter),
    inputs: folder === undefined ? [] : [await adapterInput(folder)],
  };
}

/** Opens the model, passes it to `body` and always closes it. */
export async function withModel<T>(
  checkpoint: Checkpoint,
  options: ModelOptions,
  body: (model: Model) => Promise<T>,
): Promise<T> {
  const model = await openModel(checkpoint, options);
  try {
    return await body(model);
  } finally {
    await model.close();
  }
}
