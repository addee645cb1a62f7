/**
 * A checkpoint for a computing job: open and supported, with its width, its healed weights, its adapter, and the view that follows
 * from both and from the blocks to leave out.
 */
import type { Architecture } from '../checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { narrowCheckpoint } from '../checkpoint/width';
import { type Adapter, adapterDigest, adapterPatches } from '../adapter/adapter';
import { adapterInput, readAdapter } from '../adapter/files';
import { healedBelow } from '../adapter/healed-below';
import { basename } from 'node:path';
import { UserError } from '../errors';
import { command, option } from '../option-token';
import type { JobOptions } from '../progress';
import type { RunInput } from '../records/record';
import { type PatchFile, readPatchFile } from '../weights/patch-file';
import { readWidthFile, type WidthFile } from '../weights/width-file';
import { type Changes, type Model, type ModelOptions, openModel } from './model';
import { removedFrom, removedParts, type RemovedPart, type View, viewWithout } from './view';

export interface ModelSelection {
  /** Blocks and modules to leave out, [10, "12.ffn"], in addition to those that healing and adapter leave out. */
  readonly remove?: readonly (number | string)[];
  /** File of a width. */
  readonly width?: string;
  /** File of healed weights. */
  readonly heal?: string;
  /** Folder of an adapter. */
  readonly adapter?: string;
  /** Use the adapter although it was trained on other files. */
  readonly otherBase?: boolean;
}

export interface OpenedModel {
  /** Narrowed to a width if there is one. */
  readonly checkpoint: Checkpoint;
  readonly architecture: Architecture;
  readonly removed: readonly RemovedPart[];
  readonly view: View;
  /** Healed weights and adapter as changes of the checkpoint's weights; none without either. */
  readonly changes: Changes;
  readonly adapter?: Adapter;
  /** The healed weights; undefined without any. */
  readonly healed?: PatchFile;
  /** The width; undefined for the full one. */
  readonly width?: WidthFile;
  /** Width, healed weights and adapter as inputs of the run. */
  readonly inputs: readonly RunInput[];
}

/**
 * @throws UserError when the checkpoint cannot be read or computed with, does not have these blocks, or does not belong
 *   to the width, the healed weights or the adapter; CancelledError
 */
export async function openForComputing(
  path: string,
  { remove, width: widthPath, heal: given, adapter: folder, otherBase: anyBase }: ModelSelection,
  job: JobOptions = {},
): Promise<OpenedModel> {
  const stored = await openCheckpoint(path);
  const width = widthPath === undefined ? undefined : await readWidthFile(widthPath, stored);
  const checkpoint = width ? narrowCheckpoint(stored, width.width) : stored;
  const architecture = requireArchitecture(checkpoint);
  const blocks = architecture.layers.length;
  const named = removedFrom(remove ?? [], blocks);
  const heal = await healedBelow(folder, checkpoint, given);
  const healed = heal === undefined ? undefined : await readPatchFile(heal, checkpoint, job);
  const below = healed?.note.adapter; // healed weights include the adapter that they were found with
  const onTop = below === undefined ? healed?.note.digest : undefined;
  const adapter = folder === undefined ? undefined : await readAdapter(folder, checkpoint, { anyBase, healed: onTop });
  if (below !== undefined) requireSameAdapter(below, adapter, heal!);
  const patches = [...(healed ? [healed.patches] : []), ...(adapter ? [adapterPatches(adapter)] : [])];
  const view = viewWithout(blocks, [
    ...removedFrom(healed?.note.removed ?? [], blocks),
    ...(adapter?.removed ?? []).map((block) => ({ block })),
    ...named,
  ]);
  return {
    checkpoint,
    architecture,
    removed: removedParts(view),
    view,
    changes: below === undefined ? patches : patches.reverse(),
    adapter,
    healed,
    ...(width && { width }),
    inputs: [
      ...(width ? [width.input] : []),
      ...(healed ? [healed.input] : []),
      ...(folder === undefined ? [] : [await adapterInput(folder)]),
    ],
  };
}

/** Healed weights that lie on an adapter need that one. @throws UserError */
function requireSameAdapter(digest: string, adapter: Adapter | undefined, heal: string): void {
  if (adapter && adapterDigest(adapter) === digest) return;
  const file = basename(heal);
  throw new UserError(
    adapter ? `${file} and the adapter do not belong together` : `${file} needs an adapter`,
    `its weights were healed with ${adapter ? 'another' : 'an'} adapter on the model`,
    `Give that one (${option('adapter', 'DIR')}), or let ${command('heal')} write a checkpoint and use that.`,
  );
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
