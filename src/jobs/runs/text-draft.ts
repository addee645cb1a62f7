/** The model that drafts for a text: the same one in fewer bits, the same one without some blocks, or another one. */
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { UserError } from '../../engine/errors';
import type { Speculated } from '../../engine/evaluate/speculation';
import type { Changes } from '../../engine/model/model';
import { fullView, parseRemoved, removedParts, type View, viewWithout } from '../../engine/model/view';
import { option, set } from '../../engine/option-token';
import { type Precision, PRECISIONS } from '../../engine/precision';
import { modelInput, type RunInput } from '../../engine/records/record';
import { isBlocks } from '../option';
import { DRAFT_WORDS, type DraftPrecision } from '../options/draft';
import type { DraftUse } from '../results/generate';

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

/** How a draft was asked for. */
export interface WantedDraft {
  /** One of `DRAFT_WORDS`; blocks that the draft lacks; or the path of another checkpoint. Undefined for none. */
  readonly draft?: string;
  /** The most tokens that it proposes at once. */
  readonly draftLength: number;
  /** Of a draft that is not one of `DRAFT_WORDS`. */
  readonly draftPrecision: DraftPrecision;
}

/**
 * @param target the model that checks
 * @param precision what that computes in
 * @returns undefined where none is wanted
 * @throws UserError for blocks that the model does not have, a model with another vocabulary, and bits that are no fewer
 */
export async function draftOf(
  target: Drafting,
  precision: Precision,
  { draft: wanted, draftPrecision }: WantedDraft,
): Promise<ChosenDraft | undefined> {
  if (wanted === undefined) return undefined;
  const word = DRAFT_WORDS.find((each) => each === wanted);
  if (word !== undefined) {
    if (!isSmaller(word, precision)) throw notSmaller(word, precision);
    return { ...target, precision: word, inputs: [] };
  }
  const { layers, vocabulary } = requireArchitecture(target.checkpoint);
  if (isBlocks(wanted)) {
    const removed = [...removedParts(target.view), ...parseRemoved(wanted, layers.length)];
    return { ...target, view: viewWithout(layers.length, removed), precision: draftPrecision, inputs: [] };
  }
  const checkpoint = await openCheckpoint(wanted);
  const other = requireArchitecture(checkpoint);
  if (other.vocabulary !== vocabulary) throw otherVocabulary(wanted, other.vocabulary, vocabulary);
  const input = { ...modelInput(checkpoint), role: 'draft' };
  const view = fullView(other.layers.length);
  return { checkpoint, view, changes: [], precision: draftPrecision, inputs: [input] };
}

/** What a draft did, as results have it. */
export const draftUse = (
  { precision, inputs }: ChosenDraft,
  { draft, draftLength: length }: WantedDraft,
  speculated: Speculated,
): DraftUse => ({ model: inputs.at(0)?.name ?? draft!, precision, length, ...speculated });

/** A draft among the settings of a record. */
export const draftSettings = (
  chosen: ChosenDraft | undefined,
  { draft, draftLength }: WantedDraft,
): { readonly draft?: string; readonly draftPrecision?: DraftPrecision; readonly draftLength?: number } =>
  chosen ? { draft: chosen.inputs.at(0)?.name ?? draft!, draftPrecision: chosen.precision, draftLength } : {};

/** Precisions are in order, from many bits to few. */
const isSmaller = (draft: Precision, than: Precision): boolean => PRECISIONS.indexOf(draft) > PRECISIONS.indexOf(than);

const notSmaller = (word: string, precision: Precision): UserError =>
  new UserError(
    `${option('draft', word)} cannot draft for this model`,
    `the model computes in ${precision} itself, so its draft is not faster`,
    `${set('precision', 'float32', 'add')}, or write without a draft.`,
  );

const otherVocabulary = (draft: string, own: number, wanted: number): UserError =>
  new UserError(
    `${option('draft', draft)} cannot draft for this model`,
    `its vocabulary has ${own} tokens, and the model's has ${wanted}`,
    'Name a model with the same tokenizer: a smaller one of its family, or a copy of it without some blocks.',
  );
