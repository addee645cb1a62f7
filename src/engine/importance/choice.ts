/**
 * How the removed blocks were chosen: by a criterion, by hand, or by both in turn. Plans store it; records and model
 * cards report it. Edits by hand are not stored: they are the difference between the suggestion and the removed blocks.
 */
import { type TextShare, withShare } from '../../format/text-share';
import type { BosMode } from '../../format/bos';
import { capitalized, counted } from '../../format/words';
import { codeSpan } from '../markdown';
import type { RunInput } from '../records/record';
import type { SizeGoal } from './count';

/** A text that blocks were scored on. */
export interface ScoringText {
  /** File name without its path. */
  readonly name: string;
  readonly sha256: string;
  /** Absolute path, if known. It stays on the user's machine: no record and no model card contains it. */
  readonly file?: string;
  /** Rows and tokens per row, if known. */
  readonly samples?: number;
  readonly length?: number;
  readonly seed?: number;
  /** The share of the text; all of it when undefined. */
  readonly share?: TextShare;
  /** Where the begin-of-text token is; undefined for rows of ids. */
  readonly bos?: BosMode;
  /** That is where `auto` has it. */
  readonly usualBos?: true;
}

/** A round of a removal in rounds: some blocks go, and the rest is healed before it is scored again. */
export interface Round {
  /** The blocks that went in this round, ascending. */
  readonly removed: readonly number[];
  /**
   * Of the model that was healed after this round, on rows that were not fitted, if there are any: perplexity, and KL
   * divergence from the whole model in nats. Undefined before it is healed.
   */
  readonly ppl?: number;
  readonly kl?: number;
}

/**
 * What was asked for: a size; as many blocks as keep the divergence under a limit, in nats, or the perplexity under a
 * multiple of the whole model's; or as few as let an export fit into a number of bytes.
 */
export type Goal =
  | SizeGoal
  | { readonly kind: 'divergence'; readonly kl: number }
  | { readonly kind: 'perplexity'; readonly ratio: number }
  | { readonly kind: 'fit'; readonly bytes: number; readonly format: string; readonly type?: string };

/** Blocks that were chosen by a criterion. */
export interface Suggestion {
  readonly criterion: string;
  /** The requested size, or the limit of the divergence. */
  readonly goal: Goal;
  /** The suggested blocks: 0-based, ascending. */
  readonly blocks: readonly number[];
  /** Undefined for criteria that need no text. */
  readonly calibration?: ScoringText;
  /** Name of the record of the scoring run. */
  readonly run?: string;
  /** Undefined for blocks that were chosen at once. */
  readonly rounds?: readonly Round[];
}

export type Choice = Suggestion | 'hand';

/** Edits by hand after the suggestion. */
export interface Edits {
  /** Removed in addition to the suggestion, ascending. */
  readonly removed: readonly number[];
  /** Suggested but kept; ascending. */
  readonly kept: readonly number[];
}

export function editsOf({ blocks }: Suggestion, removed: readonly number[]): Edits {
  return {
    removed: removed.filter((block) => !blocks.includes(block)),
    kept: blocks.filter((block) => !removed.includes(block)),
  };
}

/**
 * How `removed` was chosen, given the last suggestion, if any. If none of the blocks was suggested, they were chosen by
 * hand.
 */
export function choiceOf(removed: readonly number[], suggestion: Suggestion | undefined): Choice {
  const suggested = suggestion !== undefined && removed.some((block) => suggestion.blocks.includes(block));
  return suggested ? suggestion : 'hand';
}

/** The choice as settings of a run record. `removed` are the blocks that are removed in the end. */
export function choiceSettings(choice: Choice, removed: readonly number[]): Readonly<Record<string, unknown>> {
  if (choice === 'hand') return { chosen: 'by hand' };
  const { criterion, goal, blocks, calibration, run, rounds } = choice;
  const edits = editsOf(choice, removed);
  const edited = edits.removed.length + edits.kept.length > 0;
  return {
    chosen: edited ? 'by criterion, then by hand' : 'by criterion',
    criterion,
    count: blocks.length,
    ...(goal.kind === 'ratio' && { ratio: goal.ratio }),
    ...(goal.kind === 'target' && { targetParams: goal.parameters }),
    ...(goal.kind === 'divergence' && { maxKl: goal.kl }),
    ...(goal.kind === 'perplexity' && { maxRatio: goal.ratio }),
    ...(goal.kind === 'fit' && { maxBytes: goal.bytes, format: goal.format, type: goal.type }),
    ...(calibration && { calibration: withoutFile(calibration) }),
    ...(run !== undefined && { scores: run }),
    ...(rounds && { rounds }),
    ...(edited && { suggested: blocks, removedByHand: edits.removed, keptByHand: edits.kept }),
  };
}

/** The calibration in the form that records use. */
const withoutFile = ({ name, sha256, samples, length, seed, share, bos, usualBos }: ScoringText): object => ({
  source: name,
  sha256,
  samples,
  length,
  seed,
  ...withShare(share),
  ...(bos && { bos }),
  ...(usualBos && { usualBos }),
});

/** The text that the blocks were scored on, as an input of the run. */
export const choiceInputs = (choice: Choice | undefined): RunInput[] =>
  choice === undefined || choice === 'hand' ? [] : scoringInputs(choice.calibration);

/** The text that blocks were scored on, if any, as an input of a run. */
export const scoringInputs = (text: ScoringText | undefined): RunInput[] =>
  text ? [{ role: 'calibration', name: text.name, sha256: text.sha256, ...withShare(text.share) }] : [];

/** The choice for a model card, in one or two sentences. */
export function choiceSentence(choice: Choice, removed: readonly number[]): string {
  if (choice === 'hand') return 'The blocks were chosen by hand.';
  const edits = editsOf(choice, removed);
  const text = choice.calibration ? `, measured on ${textWords(choice.calibration)}` : '';
  const by = `by the criterion ${codeSpan(choice.criterion)}${text}`;
  const changes = [
    ...(edits.removed.length > 0 ? [`${listed(edits.removed)} also removed`] : []),
    ...(edits.kept.length > 0 ? [`${listed(edits.kept)} kept`] : []),
  ];
  if (changes.length === 0) return `The blocks were chosen ${by}.${roundsSentence(choice.rounds)}`;
  const were = choice.blocks.length === 1 ? 'was' : 'were';
  return `${capitalized(listed(choice.blocks))} ${were} suggested ${by}. The choice was then edited by hand: ${changes.join('; ')}.`;
}

/** " They were removed in 2 rounds, and …: blocks 3, 5 (KL 0.123), then block 7." */
function roundsSentence(rounds: readonly Round[] | undefined): string {
  if (rounds === undefined) return '';
  const words = rounds.map(
    ({ removed, kl }) => `${listed(removed)}${kl === undefined ? '' : ` (KL ${kl.toPrecision(3)})`}`,
  );
  return ` They were removed in ${counted(rounds.length, 'round')}, and the rest was healed before it was scored again: ${words.join(', then ')}.`;
}

function textWords({ name, samples, length, bos }: ScoringText): string {
  const text = codeSpan(name);
  return samples === undefined || length === undefined
    ? text
    : `${counted(samples, 'row')} of ${counted(length, 'token')} of ${text}${BEGUN[bos ?? 'none']}`;
}

const BEGUN: Readonly<Record<BosMode, string>> = {
  window: ', a begin-of-text token before each',
  stream: ', a begin-of-text token before each whole text',
  none: '',
};

const listed = (blocks: readonly number[]): string =>
  `${blocks.length === 1 ? 'block' : 'blocks'} ${blocks.join(', ')}`;
