/**
 * How the blocks that a model loses were chosen: by a criterion, by hand, or one after the other. Plans keep it, records
 * and model cards say it. What was edited by hand is not kept but follows from what was suggested and what is removed.
 */
import { counted } from '../counted';
import { codeSpan } from '../markdown';
import type { RunInput } from '../records/record';
import type { SizeGoal } from './count';

/** A text that scored blocks. */
export interface ScoringText {
  /** File name without its path. */
  readonly name: string;
  readonly sha256: string;
  /** Absolute path, where it is known. It stays with the user: no record and no card names it. */
  readonly file?: string;
  /** Rows and tokens a row, where they are known. */
  readonly samples?: number;
  readonly length?: number;
  readonly seed?: number;
}

/** Blocks that a criterion chose. */
export interface Suggestion {
  readonly criterion: string;
  /** What was asked for. */
  readonly goal: SizeGoal;
  /** What was suggested: 0-based, ascending. */
  readonly blocks: readonly number[];
  /** Undefined for criteria that need no text. */
  readonly calibration?: ScoringText;
  /** Name of the record of the run that scored them. */
  readonly run?: string;
}

export type Choice = Suggestion | 'hand';

/** What was changed by hand after the suggestion. */
export interface Edits {
  /** Removed beyond the suggestion, ascending. */
  readonly removed: readonly number[];
  /** Suggested, and kept all the same; ascending. */
  readonly kept: readonly number[];
}

export function editsOf({ blocks }: Suggestion, removed: readonly number[]): Edits {
  return {
    removed: removed.filter((block) => !blocks.includes(block)),
    kept: blocks.filter((block) => !removed.includes(block)),
  };
}

/**
 * How `removed` was chosen, given the last suggestion, if there was one. If none of the blocks was suggested, they
 * were chosen by hand.
 */
export function choiceOf(removed: readonly number[], suggestion: Suggestion | undefined): Choice {
  const suggested = suggestion !== undefined && removed.some((block) => suggestion.blocks.includes(block));
  return suggested ? suggestion : 'hand';
}

/** As settings of a run record. `removed` is what goes in the end. */
export function choiceSettings(choice: Choice, removed: readonly number[]): Readonly<Record<string, unknown>> {
  if (choice === 'hand') return { chosen: 'by hand' };
  const { criterion, goal, blocks, calibration, run } = choice;
  const edits = editsOf(choice, removed);
  const edited = edits.removed.length + edits.kept.length > 0;
  return {
    chosen: edited ? 'by criterion, then by hand' : 'by criterion',
    criterion,
    count: blocks.length,
    ...(goal.kind === 'ratio' && { ratio: goal.ratio }),
    ...(goal.kind === 'target' && { targetParams: goal.parameters }),
    ...(calibration && { calibration: withoutFile(calibration) }),
    ...(run !== undefined && { scores: run }),
    ...(edited && { suggested: blocks, removedByHand: edits.removed, keptByHand: edits.kept }),
  };
}

/** As calibrations name themselves in records. */
const withoutFile = ({ name, sha256, samples, length, seed }: ScoringText): object => ({
  source: name,
  sha256,
  samples,
  length,
  seed,
});

/** The text that scored the blocks, as an input of the run. */
export const choiceInputs = (choice: Choice | undefined): RunInput[] =>
  choice === undefined || choice === 'hand' ? [] : scoringInputs(choice.calibration);

/** A text that scored blocks, if there was one, as an input of a run. */
export const scoringInputs = (text: ScoringText | undefined): RunInput[] =>
  text ? [{ role: 'calibration', name: text.name, sha256: text.sha256 }] : [];

/** For a model card: one or two sentences. */
export function choiceSentence(choice: Choice, removed: readonly number[]): string {
  if (choice === 'hand') return 'The blocks were chosen by hand.';
  const edits = editsOf(choice, removed);
  const text = choice.calibration ? `, measured on ${textWords(choice.calibration)}` : '';
  const by = `by the criterion ${codeSpan(choice.criterion)}${text}`;
  const changes = [
    ...(edits.removed.length > 0 ? [`${listed(edits.removed)} also removed`] : []),
    ...(edits.kept.length > 0 ? [`${listed(edits.kept)} kept`] : []),
  ];
  if (changes.length === 0) return `The blocks were chosen ${by}.`;
  const were = choice.blocks.length === 1 ? 'was' : 'were';
  return `${capital(listed(choice.blocks))} ${were} suggested ${by}. The choice was then edited by hand: ${changes.join('; ')}.`;
}

function textWords({ name, samples, length }: ScoringText): string {
  const text = codeSpan(name);
  return samples === undefined || length === undefined
    ? text
    : `${counted(samples, 'row')} of ${counted(length, 'token')} of ${text}`;
}

const listed = (blocks: readonly number[]): string =>
  `${blocks.length === 1 ? 'block' : 'blocks'} ${blocks.join(', ')}`;

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
