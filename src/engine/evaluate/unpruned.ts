/**
 * Which model a measured one is compared with: the one that the user names, the original of a written model if that lies
 * near, or else the checkpoint itself in its full width, without healed weights, adapter and removals.
 */
import { formatCounted } from '../../format/words';
import { modelName } from '../records/record';
import { openCheckpoint, requireArchitecture } from '../checkpoint/open';
import type { Checkpoint } from '../checkpoint/types';
import { asStored } from '../checkpoint/width';
import { UserError } from '../errors';
import { type ModelOptions, openModel, type Model } from '../model/model';
import type { OpenedModel } from '../model/opened';
import { fullView } from '../model/view';
import { option } from '../option-token';
import type { JobOptions } from '../progress';
import { originalOf } from '../records/original';
import type { Unpruned } from './compared';
import { loadRows, type Rows, type RowSource } from './rows';

/** The checkpoint to compare with; undefined if nothing was changed, as far as is known. */
export interface Reference {
  readonly checkpoint?: Checkpoint;
  /** Name of an original that records name but that is not found. */
  readonly missing?: string;
  /** Why the original that lies near cannot be compared with: it has another vocabulary. */
  readonly unlike?: string;
}

/**
 * @param against path of the user's choice
 * @param near folders that may hold the original
 * @throws UserError when the checkpoint at that path cannot be computed with, or has another vocabulary
 */
export async function referenceOf(
  opened: Pick<OpenedModel, 'checkpoint' | 'changes' | 'removed'>,
  against: string | undefined,
  near: readonly string[],
): Promise<Reference> {
  const { checkpoint, changes, removed } = opened;
  if (against !== undefined) {
    const given = await openCheckpoint(against);
    requireSameVocabulary(given, opened);
    return { checkpoint: given };
  }
  const original = await originalOf(checkpoint, near);
  const there = original?.checkpoint?.architecture && original.checkpoint;
  const why = there && otherVocabulary(there, opened);
  if (there && why === undefined) return { checkpoint: there };
  const missing =
    original && (why === undefined ? { missing: original.name } : { unlike: `${modelName(there!)}: ${why}` });
  const isChanged = removed.length > 0 || changes.length > 0 || checkpoint.narrowing !== undefined;
  return { ...(isChanged ? { checkpoint: asStored(checkpoint) } : {}), ...missing };
}

/** Opens the reference beside the model, calls `use` and closes it. A model is opened once if it is both. */
export async function withUnpruned<T>(
  reference: Checkpoint,
  { checkpoint, changes }: Pick<OpenedModel, 'checkpoint' | 'changes'>,
  model: Model,
  options: ModelOptions,
  use: (unpruned: Unpruned) => Promise<T>,
): Promise<T> {
  const isOwn = reference.identity === checkpoint.identity;
  const isModel = isOwn && changes.length === 0;
  const teacher = isModel ? model : await openModel(reference, options);
  try {
    const view = fullView(teacher.architecture.layers.length);
    return await use({ model: teacher, view, ...(isOwn && { changes }) });
  } finally {
    if (!isModel) await teacher.close();
  }
}

/**
 * Why two models cannot be compared token by token: their vocabularies have other sizes. Undefined where they have one size.
 * @param other the model to compare with
 */
function otherVocabulary(other: Checkpoint, { checkpoint }: Pick<OpenedModel, 'checkpoint'>): string | undefined {
  const [own, theirs] = [checkpoint, other].map((each) => requireArchitecture(each).vocabulary);
  return own === theirs
    ? undefined
    : `its vocabulary has ${formatCounted(theirs, 'token')}, that of the model ${formatCounted(own, 'token')}`;
}

/** @throws UserError when the vocabularies have other sizes: a KL divergence needs one vocabulary */
function requireSameVocabulary(other: Checkpoint, opened: Pick<OpenedModel, 'checkpoint'>): void {
  const why = otherVocabulary(other, opened);
  if (why === undefined) return;
  throw new UserError(
    `The model cannot be compared with ${modelName(other)} token by token`,
    why,
    `Measure each of them alone on the same text (without ${option('against')}), and compare the bits per byte.`,
  );
}

/**
 * Two models can be compared on the same tokens only.
 * @throws UserError when the reference's tokenizer makes other rows of the text; CancelledError
 */
export async function requireSameRows(
  reference: Checkpoint,
  { checkpoint }: Pick<OpenedModel, 'checkpoint'>,
  source: RowSource,
  { rows, bos }: Pick<Rows, 'rows' | 'bos'>,
  job: JobOptions,
): Promise<void> {
  if (reference.home === checkpoint.home) return;
  // The same mode for both: of two tokenizers, one may put a token where the other puts none.
  const mode = bos === 'given' ? undefined : bos;
  const other = await loadRows({ ...source, bos: mode }, reference, requireArchitecture(reference), job);
  const isSame = (row: ArrayLike<number>, r: number): boolean =>
    row.length === other.rows[r].length && Array.from(row).every((id, i) => id === other.rows[r][i]);
  if (other.rows.length === rows.length && rows.every(isSame)) return;
  throw new UserError(
    `The model cannot be compared with ${modelName(reference)}`,
    'the text has other tokens there',
    `Give the model that it was pruned from (${option('against', 'CHECKPOINT')}), or one with the same tokenizer.`,
  );
}
