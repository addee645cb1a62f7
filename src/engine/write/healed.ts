/**
 * Writes an ordinary checkpoint with healed weights: those of the source, with an adapter added if there is one, corrected
 * where healing changed them, without the blocks that are left out, and rounded once to the stored type. One piece of one
 * tensor is in memory at a time.
 */
import { defined } from '../../format/defined';
import { type Adapter, adapterDigest, adapterPatches } from '../adapter/adapter';
import { openCheckpoint, requireArchitecture } from '../checkpoint/open';
import type { Reduction } from '../checkpoint/reduction';
import type { Checkpoint } from '../checkpoint/types';
import { weightOf } from '../checkpoint/weight-key';
import { widthSetting } from '../checkpoint/width';
import { UserError } from '../errors';
import { isThere } from '../files/existing';
import type { HealMethod } from '../heal/methods';
import type { HealStages, HealStep } from '../heal/result';
import type { Choice } from '../importance/choice';
import { wholeBlocks } from '../importance/select';
import { type RemovedPart, removedJson } from '../model/view';
import { option } from '../option-token';
import { calibrationsOf } from '../records/calibrations';
import { baseName, modelInput, newRecord } from '../records/record';
import { isBeside, readBeside } from '../weights/beside';
import { digestOf, PATCH, sha256Of } from '../weights/patch-note';
import type { KeyedPatch } from '../weights/patches';
import { inheritedFields } from './card';
import { healCard } from './heal-card';
import { writeModified } from './modified';
import type { WriteOptions, Written } from './write-checkpoint';

/** Key of the digest of its new weights in the headers of a healed checkpoint. */
const HEALED_KEY = 'coppice.healed';

/** A healed model, as changes of a checkpoint. */
export interface HealedModel {
  readonly removed: readonly RemovedPart[];
  /** The new weights, which include the adapter; none if the plain ones were kept. */
  readonly patches: readonly KeyedPatch[];
  /** The adapter that the model had when it was healed; it is merged. */
  readonly adapter?: Adapter;
}

/** How the model was healed and what came of it, for card and record. */
export interface HealFacts {
  readonly method: HealMethod;
  /** Null: the method's rule, which the steps show. */
  readonly ridge: number | 'auto' | null;
  readonly step: number;
  readonly stepCut: number;
  /** Tokens that were fitted. */
  readonly tokens: number;
  readonly fit: HealStages;
  /** Null if no rows were held out. */
  readonly heldOut: HealStages | null;
  readonly steps: readonly HealStep[];
  readonly weights: 'healed' | 'plain';
  /** The texts that were fitted, by name: "sherlock.txt", "text written by the original". */
  readonly texts: readonly string[];
}

export interface HealedOptions extends WriteOptions {
  readonly facts: HealFacts;
  /** How the removed blocks were chosen, for the card; not mentioned when undefined. */
  readonly choice?: Choice;
}

export interface HealedResult extends Reduction, Written {
  readonly seconds: number;
}

/**
 * The blocks that a written checkpoint leaves out. Call it before the work starts.
 * @throws UserError for single modules: such a model can be kept as a patch, but no other program could load it
 */
export function writableBlocks(removed: readonly RemovedPart[]): number[] {
  try {
    return wholeBlocks(removed);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { what, why } = error.texts;
    const action = `Write the new weights alone (${option('patch', 'FILE')}), or remove whole blocks.`;
    throw new UserError(what, why, action, { cause: error });
  }
}

/**
 * Writes the healed model to the folder `out`, which must not exist. Its record is of kind "heal".
 * @throws UserError when it cannot be written or a number is out of range for its type; CancelledError. No partial
 *   output remains
 */
export async function writeHealed(
  checkpoint: Checkpoint,
  { removed: parts, patches, adapter }: HealedModel,
  out: string,
  options: HealedOptions,
): Promise<HealedResult> {
  const { facts, choice, provenance = {} } = options;
  const { started = new Date() } = provenance;
  const clock = performance.now();
  const removed = writableBlocks(parts);
  const { texts, ...results } = facts;
  const healed = patches.length > 0 ? digestOfHealed(checkpoint, { removed: parts, patches, adapter }) : undefined;
  const merged = adapter && adapterDigest(adapter);
  const settings = {
    ...provenance.settings,
    removed,
    texts,
    ...defined({ adapter: merged, healed }),
    ...widthSetting(checkpoint),
  };
  const inputs = [modelInput(checkpoint), ...(provenance.inputs ?? []), ...(await calibrationsOf(checkpoint))];
  const inherited = await inheritedFields(checkpoint);
  const written = await writeModified(
    checkpoint,
    {
      removed,
      changes: [...(adapter ? [adapterPatches(adapter)] : []), patches],
      notes: {
        ...(merged !== undefined && { 'coppice.merged': merged }),
        ...(healed !== undefined && { [HEALED_KEY]: healed }),
      },
      card: (reduction) =>
        Promise.resolve(
          healCard(checkpoint, reduction, { facts, choice, adapter, inherited, settings: shown(options) }),
        ),
      record: (reduction) =>
        newRecord({ ...provenance, kind: 'heal', inputs, settings, results: { ...results, ...reduction }, started }),
    },
    out,
    options,
  );
  return { ...written, seconds: (performance.now() - clock) / 1000 };
}

/**
 * Whether `out` is this healed model, whole: what an attempt wrote that ended before it could say so.
 * @returns false for anything else, and where the plain weights were kept, because nothing marks such a model
 */
export async function isWritten(checkpoint: Checkpoint, model: HealedModel, out: string): Promise<boolean> {
  if (model.patches.length === 0 || !(await isThere(out))) return false;
  const digest = digestOfHealed(checkpoint, model);
  try {
    const { shards } = await openCheckpoint(out);
    return shards.length > 0 && shards.every(({ metadata }) => metadata[HEALED_KEY] === digest);
  } catch (error) {
    if (error instanceof UserError) return false;
    throw error;
  }
}

/** The same of the file `path` with the new weights alone. */
export async function isPatchWritten(checkpoint: Checkpoint, model: HealedModel, path: string): Promise<boolean> {
  if (!(await isBeside(path, checkpoint, PATCH))) return false;
  return (await readBeside(path, checkpoint, PATCH)).note.digest === digestOfHealed(checkpoint, model);
}

/** The settings for the card. What it says in words is not repeated. */
const shown = ({ provenance: { settings = {} } = {} }: HealedOptions): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => name !== 'removed'));

/** The digest that a file of the same new weights has. */
function digestOfHealed(checkpoint: Checkpoint, { removed, patches, adapter }: HealedModel): string {
  const architecture = requireArchitecture(checkpoint);
  const base = { name: baseName(checkpoint), identity: checkpoint.identity, blocks: architecture.layers.length };
  const tensors = patches.map(([key, patch]) => [weightOf(architecture, key)!.name, sha256Of(patch)] as const);
  const purpose = { base, adapter: adapter && adapterDigest(adapter), removed: removedJson(removed) };
  return digestOf(purpose, new Map(tensors));
}
