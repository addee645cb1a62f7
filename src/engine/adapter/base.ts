/**
 * The model that an adapter belongs to, as a note in the header of the adapter's weights. Other tools ignore it. It has
 * the identity of the checkpoint and the blocks that were left out. An adapter of another tool has no such note and
 * belongs to the whole checkpoint.
 */
import { JsonProblem, parseBoundedJson, printable } from '../formats/bounded-json';
import { MAX_DIMENSION } from '../formats/limits';
import type { Checkpoint } from '../checkpoint/types';
import { narrowedIdentity } from '../checkpoint/width';
import { counted } from '../../format/words';
import { UserError } from '../errors';
import { option, set } from '../option-token';
import { isObject } from '../../format/json';
import { entries } from '../records/fields';
import { recordAt } from '../records/in-gguf';
import { differingFiles } from '../weights/beside';
import { recordKind } from '../records/kinds';
import { baseName, modelName } from '../records/record';

/** Key of the note among the header's metadata. */
export const BASE_KEY = 'coppice';

/** The model that an adapter was trained on: a checkpoint, possibly without some blocks. */
export interface AdapterBase {
  /** Display name of the checkpoint. */
  readonly name: string;
  readonly identity: string;
  /** Blocks of the checkpoint, before any was left out. */
  readonly blocks: number;
  /** Blocks of the checkpoint that were left out, ascending. */
  readonly removed: readonly number[];
  /** Digest of the healed weights that it was trained on; undefined if they were the checkpoint's. */
  readonly healed?: string;
}

const NOTE_LIMITS = { depth: 3, keyLength: 64, members: 16, items: MAX_DIMENSION.blocks, uniqueKeys: true };

/** The note's text. */
export function baseNote(
  checkpoint: Checkpoint,
  blocks: number,
  { removed, healed }: Pick<AdapterBase, 'removed' | 'healed'>,
): string {
  const base: AdapterBase = { name: baseName(checkpoint), identity: checkpoint.identity, blocks, removed, healed };
  return JSON.stringify(base);
}

/**
 * Reads the note from a header's metadata; undefined if there is none.
 * @param file names the file in messages
 * @throws UserError for an invalid note
 */
export function readBase(metadata: Readonly<Record<string, string>>, file: string): AdapterBase | undefined {
  if (!(BASE_KEY in metadata)) return undefined;
  let note: unknown;
  try {
    note = parseBoundedJson(Buffer.from(metadata[BASE_KEY]), NOTE_LIMITS);
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    throw badNote(file, error.message);
  }
  if (!isObject(note)) throw badNote(file, 'it is not a JSON object');
  const { name, identity, blocks, removed, healed } = note;
  if (typeof name !== 'string' || typeof identity !== 'string') throw badNote(file, 'name or identity is missing');
  if (!Number.isSafeInteger(blocks) || (blocks as number) < 1 || (blocks as number) > MAX_DIMENSION.blocks) {
    throw badNote(file, 'blocks is not a number of blocks');
  }
  if (!isAscending(removed, blocks as number)) throw badNote(file, 'removed is not an ascending list of its blocks');
  if (healed !== undefined && typeof healed !== 'string') throw badNote(file, 'healed is not a digest');
  return { name, identity, blocks: blocks as number, removed, healed };
}

function isAscending(list: unknown, blocks: number): list is number[] {
  if (!Array.isArray(list)) return false;
  return list.every((block, i) => {
    return Number.isSafeInteger(block) && block >= 0 && block < blocks && (i === 0 || block > list[i - 1]);
  });
}

/** What an adapter is used on, apart from the checkpoint. */
export interface UseOfAdapter {
  /** Check only the number of blocks. */
  readonly anyBase?: boolean;
  /** Digest of the healed weights below it. */
  readonly healed?: string;
}

/**
 * The blocks of `checkpoint` to leave out for the adapter: those of its note if it was trained on this checkpoint, none
 * if this checkpoint is that one without these blocks. Healed weights are the same in a patch and in a checkpoint that
 * was written from it.
 * @throws UserError if the checkpoint is neither
 */
export async function removedFor(
  base: AdapterBase,
  checkpoint: Checkpoint,
  blocks: number,
  { anyBase = false, healed }: UseOfAdapter,
): Promise<readonly number[]> {
  const left = base.blocks - base.removed.length;
  const pruned = await pruning(checkpoint);
  // Written narrower from the model that it was trained on, with all its blocks and no other weights.
  const isSame = pruned?.identity === base.identity && pruned.removed === '' && pruned.healed === undefined;
  const isBase = (checkpoint.identity === base.identity || isSame) && blocks === base.blocks;
  if (isBase && healed === base.healed) return base.removed;
  const fromBase = pruned?.identity === base.identity && blocks === left && pruned.removed === String(base.removed);
  if (fromBase && healed === undefined && pruned?.healed === base.healed) return [];
  if (anyBase && blocks === base.blocks) return base.removed;
  if (anyBase && blocks === left) return [];
  if (isBase || fromBase) throw otherHealing(base, checkpoint, healed);
  const name = printable(base.name, 80);
  const trainedOn = base.removed.length > 0 ? `${name} without the blocks ${base.removed.join(', ')}` : name;
  const what = `The adapter does not belong to ${modelName(checkpoint)}`;
  if (pruned?.identity === base.identity) {
    throw new UserError(
      what,
      `it was trained on ${trainedOn}; here the blocks ${pruned.removed.replaceAll(',', ', ')} were removed from ${name}`,
      `Use it with ${name} itself; the adapter leaves out the right blocks.`,
    );
  }
  if (blocks !== base.blocks && blocks !== left) {
    throw new UserError(
      what,
      `it was trained on ${trainedOn}, which has ${counted(left, 'block')}; this checkpoint has ${blocks}`,
      `Use it with ${name}.`,
    );
  }
  throw new UserError(
    what,
    `it was trained on ${trainedOn}, ${differingFiles(base, checkpoint)}`,
    `Use it with ${name}; if this is the same model in other files, ${set('otherBase', true, 'add')}.`,
  );
}

/** The error for an adapter that was trained on this checkpoint with other weights. */
function otherHealing(base: AdapterBase, checkpoint: Checkpoint, healed: string | undefined): UserError {
  const what = `The adapter does not belong to these weights of ${modelName(checkpoint)}`;
  if (base.healed === undefined) {
    return new UserError(
      what,
      'it was trained on the plain weights, and these are healed',
      `Leave ${option('heal')} out; to use it in spite of that, ${set('otherBase', true, 'add')}.`,
    );
  }
  const hash = base.healed.slice(0, 12);
  return new UserError(
    what,
    `it was trained on healed weights (${hash}), and these are ${healed === undefined ? 'not' : `others (${healed.slice(0, 12)})`}`,
    `Use it with the file of those weights (${option('heal', 'FILE')}), or with a checkpoint written from it.`,
  );
}

interface Pruning {
  readonly identity?: string;
  readonly removed: string;
  /** Digest of the healed weights in it. */
  readonly healed?: string;
}

/** The source of a pruned or healed checkpoint and what was removed from it, from the record inside it. */
async function pruning(checkpoint: Checkpoint): Promise<Pruning | undefined> {
  const record = await recordAt(checkpoint.home);
  if (!record || !recordKind(record.kind).cuts) return undefined;
  const { inputs, results, settings } = record;
  const stored = inputs.find(({ role }) => role === 'model')?.identity;
  const { width } = settings;
  const identity = stored !== undefined && typeof width === 'string' ? narrowedIdentity(stored, width) : stored;
  const removed = entries(results.removed).join();
  return { identity, removed, ...(typeof settings.healed === 'string' && { healed: settings.healed }) };
}

const badNote = (file: string, why: string): UserError =>
  new UserError(
    `${file}: the note "${BASE_KEY}" in its header is not valid`,
    why,
    'Copy the adapter again, or train it again.',
  );
