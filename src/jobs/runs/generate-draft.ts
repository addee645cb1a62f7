/** The model that drafts for a text: the same one in fewer bits, the same one without some blocks, or another one. */
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { UserError } from '../../engine/errors';
import type { Changes } from '../../engine/model/model';
import { fullView, parseRemoved, removedParts, type View, viewWithout } from '../../engine/model/view';
import { option } from '../../engine/option-token';
import { modelInput, type RunInput } from '../../engine/records/record';
import { DRAFT_WORDS, type DraftPrecision } from '../definitions/generate';
import { isBlocks } from '../option';

/** A model, opened for computing. */
export interface Drafting {
  readonly checkpoint: Checkpoint;
  readonly view: View;
  readonly changes: Changes;
}

export interface ChosenDraft extends Drafting {
  readonly precision: DraftPrecision;
  /** Of another model. */
  readonly inputs: readonly RunInput[];
}

/**
 * @param target the model that checks
 * @param wanted one of `DRAFT_WORDS`; blocks that the draft lacks; or the path of another checkpoint
 * @param precision of the last two
 * @throws UserError for blocks that the model does not have, and for a model with another vocabulary
 */
export async function draftOf(target: Drafting, wanted: string, precision: DraftPrecision): Promise<ChosenDraft> {
  const word = DRAFT_WORDS.find((each) => each === wanted);
  if (word !== undefined) return { ...target, precision: word, inputs: [] };
  const { layers, vocabulary } = requireArchitecture(target.checkpoint);
  if (isBlocks(wanted)) {
    const removed = [...removedParts(target.view), ...parseRemoved(wanted, layers.length)];
    return { ...target, view: viewWithout(layers.length, removed), precision, inputs: [] };
  }
  const checkpoint = await openCheckpoint(wanted);
  const other = requireArchitecture(checkpoint);
  if (other.vocabulary !== vocabulary) throw otherVocabulary(wanted, other.vocabulary, vocabulary);
  const input = { ...modelInput(checkpoint), role: 'draft' };
  return { checkpoint, view: fullView(other.layers.length), changes: [], precision, inputs: [input] };
}

const otherVocabulary = (draft: string, own: number, wanted: number): UserError =>
  new UserError(
    `${option('draft', draft)} cannot draft for this model`,
    `its vocabulary has ${own} tokens, and the model's has ${wanted}`,
    'Name a model with the same tokenizer: a smaller one of its family, or a copy of it without some blocks.',
  );
