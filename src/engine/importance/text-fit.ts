/**
 * Whether a model fits a text, before blocks are chosen by it. Losses of a model that cannot read the text say nothing of its
 * blocks: without the begin-of-text token that it was trained with, other blocks seem important.
 */
import type { BosChoice, BosMode } from '../../format/bos';
import type { TextFit } from '../../format/text-fit';
import { formatNumber } from '../../format/numbers';
import { counted } from '../../format/words';
import type { TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import { fullView, stepsOf, type View } from '../model/view';
import { set } from '../option-token';
import type { JobOptions } from '../progress';
import { bosIdOf, type BosSource } from '../tokenizer/bos';
import { sweepLosses } from './sweep';

/** How the rows were asked for. */
export interface AskedRows {
  /** 'auto' when undefined. */
  readonly choice?: BosChoice;
  /** Where the token is; 'given' for rows of ids. */
  readonly mode: BosMode | 'given';
  /** The begin-of-text token; undefined if the model has none. */
  readonly id: number | undefined;
}

/** @param mode where the token is; undefined for rows of ids */
export const askedRows = (choice: BosChoice | undefined, mode: BosMode | undefined, source: BosSource): AskedRows => ({
  choice,
  mode: mode ?? 'given',
  id: bosIdOf(source),
});

/** Rows that are measured at most. */
const ROWS = 4;
/** Tokens that a row has at least: with fewer, the two ways have no predicted token in common. */
const LEAST = 4;
/** How much worse what was asked for may be. */
const WORSE = 1.1;
/** A limit is not below this: small models with small vocabularies have such perplexities on their own kind of text. */
const LEAST_LIMIT = 100;
/** How much worse than the other way a text may be read at all. */
const UNFIT = 1.5;

/**
 * Measures the first rows as they are, and the same tokens the other way, in one pass over the weights.
 * @param rows tokens, all of one length, of at least two
 * @param id the begin-of-text token; undefined if the model has none
 * @returns undefined if the rows have no perplexity: numbers that are not finite have warnings of their own
 * @throws CancelledError
 */
export async function textFit(
  model: Model,
  rows: TokenRows,
  id: number | undefined,
  { signal }: Pick<JobOptions, 'signal'>,
  view: View = fullView(model.architecture.layers.length),
): Promise<TextFit | undefined> {
  const some = rows.slice(0, ROWS);
  const limit = limitOf(model.architecture.vocabulary);
  const ways = id === undefined || some[0].length < LEAST ? undefined : bothWays(some, id);
  const all = ways ? [...ways.own, ...ways.other] : some;
  const { full } = await sweepLosses(model, all, stepsOf(view), [], { signal });
  const perRow = all[0].length - 1;
  const losses = all.map((_, r) => Array.from(full.subarray(r * perRow, (r + 1) * perRow)));
  const [own, other] = [losses.slice(0, some.length), losses.slice(some.length)];
  const measured = { rows: some.length, ppl: perplexity(own), limit };
  if (!Number.isFinite(measured.ppl)) return undefined;
  if (!ways) return measured;
  // What both ways predict: the text of the way that begins with the token stands one place further on.
  const behind = (each: readonly number[][]) => each.map((row) => row.slice(1));
  const ahead = (each: readonly number[][]) => each.map((row) => row.slice(0, -1));
  const [ppl, otherPpl] = ways.begins
    ? [perplexity(ahead(own)), perplexity(behind(other))]
    : [perplexity(behind(own)), perplexity(ahead(other))];
  return Number.isFinite(otherPpl) ? { ...measured, ppl, other: { begins: ways.begins, ppl: otherPpl } } : measured;
}

/** The rows, and their text with the token before each, or without it if all have it; both of one length. */
function bothWays(
  rows: TokenRows,
  id: number,
): { readonly begins: boolean; readonly own: TokenRows; readonly other: TokenRows } {
  const texts = rows.map((row) => Array.from(row));
  if (texts.some(([first]) => first !== id)) {
    return { begins: true, own: texts, other: texts.map((text) => [id, ...text.slice(0, -1)]) };
  }
  return { begins: false, own: texts.map((text) => text.slice(0, -1)), other: texts.map((text) => text.slice(1)) };
}

const perplexity = (losses: readonly (readonly number[])[]): number => {
  const all = losses.flat();
  return Math.exp(all.reduce((sum, loss) => sum + loss, 0) / all.length);
};

/** Above this, a model does not know a text: the square root of the size of its vocabulary. */
const limitOf = (vocabulary: number): number => Math.max(LEAST_LIMIT, Math.sqrt(vocabulary));

/** Whether the user, or a file of rows, says how rows begin. */
export const isAsked = ({ mode, choice = 'auto' }: Pick<AskedRows, 'choice' | 'mode'>): boolean =>
  mode === 'given' || choice !== 'auto';

/**
 * The warning for rows whose beginning the user, or a file, decided; undefined if they are read well, or nobody decided.
 * @param rows tokens; longer ones are cut to the shortest
 * @throws CancelledError
 */
export async function askedWarning(
  model: Model,
  rows: TokenRows,
  asked: AskedRows,
  job: Pick<JobOptions, 'signal'>,
  view?: View,
): Promise<string | undefined> {
  if (!isAsked(asked)) return undefined;
  const some = rows.slice(0, ROWS);
  const length = Math.min(...some.map((row) => row.length));
  if (some.length === 0 || length < LEAST) return undefined;
  const cut = some.map((row) => Array.from(row).slice(0, length));
  return fitWarning(await textFit(model, cut, asked.id, job, view), asked);
}

/** Whether the text says nothing of the model. */
export const isUnfit = ({ ppl, other, limit }: TextFit): boolean =>
  ppl > limit || (other !== undefined && ppl > UNFIT * other.ppl);

/** What a result tells of a text that the model does not fit: the other way only where it is the reason. */
export function unfitOf(fit: TextFit): TextFit | undefined {
  if (!isUnfit(fit)) return undefined;
  const { other, ...measured } = fit;
  return other !== undefined && fit.ppl > UNFIT * other.ppl ? fit : measured;
}

/** The warning for rows that the model reads badly; undefined if it reads them well, or they have no perplexity. */
export function fitWarning(fit: TextFit | undefined, asked: AskedRows): string | undefined {
  if (!fit) return undefined;
  const { ppl, other, limit, rows } = fit;
  const isWorse = other !== undefined && ppl > (isAsked(asked) ? WORSE : UNFIT) * other.ppl;
  const first = `the perplexity of the original on the first ${counted(rows, 'row')} is ${formatNumber(ppl)}`;
  if (isWorse) {
    const unfit = isUnfit(fit) ? 'The model does not fit these rows: ' : '';
    return `${unfit}${first}, ${wayWords(other.begins)} ${formatNumber(other.ppl)}. ${remedyOf(other.begins, asked)}`;
  }
  return isUnfit(fit) ? beyondReason(first, limit) : undefined;
}

/** The warning for scores of a text that the model does not fit, as their file tells. */
export const unfitScores = ({ ppl, limit, other }: TextFit): string =>
  `The scores are of a text that the model does not fit: its perplexity is ${formatNumber(ppl)}, ` +
  (other !== undefined
    ? `${wayWords(other.begins)} ${formatNumber(other.ppl)}.`
    : `more than ${formatNumber(limit)}, which is beyond reason for its vocabulary.`) +
  ' What they say of blocks means little. Score again';

const wayWords = (begins: boolean): string =>
  begins ? 'with a begin-of-text token before each row' : 'without a begin-of-text token';

/** The warning for a perplexity of the whole model that is beyond reason; undefined for another one. */
export function unfitWarning(ppl: number, vocabulary: number): string | undefined {
  const limit = limitOf(vocabulary);
  if (!Number.isFinite(ppl) || !isUnfit({ rows: 0, ppl, limit })) return undefined;
  return beyondReason(`the perplexity of the original is ${formatNumber(ppl)}`, limit);
}

const beyondReason = (measured: string, limit: number): string =>
  `The model does not fit this text: ${measured}, more than ${formatNumber(limit)}, which is beyond reason for its vocabulary. ` +
  'What such a text says of blocks means little. Use a text of the kind that the model was trained on';

function remedyOf(begins: boolean, { mode, id }: AskedRows): string {
  if (mode === 'given') return begins ? `Put the token ${id} before each row of the file` : 'Leave it out of the file';
  return set('bos', begins ? 'window' : 'none');
}
