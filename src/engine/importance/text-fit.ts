/**
 * Whether a model fits a text, before blocks are chosen by it. Losses of a model that cannot read the text say nothing of its
 * blocks: without the begin-of-text token that it was trained with, other blocks seem important.
 */
import type { BosChoice, BosMode } from '../../format/bos';
import type { TextFit } from '../../format/text-fit';
import { formatNumber } from '../../format/numbers';
import { counted } from '../../format/words';
import { longestText } from '../checkpoint/architecture';
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
/** Tokens that a row has at least: with fewer, the two ways have hardly a token in common. */
const LEAST = 3;
/** How much worse what was asked for may be. */
const WORSE = 1.1;
/** A limit is not below this: small models with small vocabularies have such perplexities on their own kind of text. */
const LEAST_LIMIT = 100;
/** How much worse than the other way a text may be read at all. */
const UNFIT = 1.5;

/**
 * Measures the first rows as they are, and the same tokens the other way.
 * @param rows tokens, all of one length, of at least three
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
  const lossesOf = async (each: TokenRows): Promise<number[][]> => {
    const { full } = await sweepLosses(model, each, stepsOf(view), [], { signal });
    const perRow = each[0].length - 1;
    return each.map((_, r) => Array.from(full.subarray(r * perRow, (r + 1) * perRow)));
  };
  const own = await lossesOf(some);
  const measured = { rows: some.length, ppl: perplexity(own), limit };
  if (!Number.isFinite(measured.ppl)) return undefined;
  const turned = id === undefined ? undefined : otherWay(some, id, longestText(model.architecture));
  if (!turned || some[0].length < LEAST || turned.rows[0].length < LEAST - 1) return measured;
  const other = await lossesOf(turned.rows);
  // Only tokens that both ways predict: the first of a row is hard to guess in any way.
  const ahead = turned.begins ? 0 : 1;
  const most = Math.min(own[0].length - ahead, other[0].length - (1 - ahead));
  const common = (losses: readonly number[][], from: number) => losses.map((row) => row.slice(from, from + most));
  const ppl = perplexity(common(other, 1 - ahead));
  if (!Number.isFinite(ppl)) return measured;
  return { ...measured, ppl: perplexity(common(own, ahead)), other: { begins: turned.begins, ppl } };
}

/** The rows with the token before each, or without it if all have it. */
function otherWay(
  rows: TokenRows,
  id: number,
  room: number,
): { readonly begins: boolean; readonly rows: readonly number[][] } {
  if (rows.every((row) => row[0] === id)) return { begins: false, rows: rows.map((row) => Array.from(row).slice(1)) };
  return { begins: true, rows: rows.map((row) => [id, ...Array.from(row)].slice(0, Math.max(room, 2))) };
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
  const first = `the perplexity of the whole model on the first ${counted(rows, 'row')} is ${formatNumber(ppl)}`;
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
  return beyondReason(`the perplexity of the whole model is ${formatNumber(ppl)}`, limit);
}

const beyondReason = (measured: string, limit: number): string =>
  `The model does not fit this text: ${measured}, more than ${formatNumber(limit)}, which is beyond reason for its vocabulary. ` +
  'What such a text says of blocks means little. Use a text of the kind that the model was trained on';

function remedyOf(begins: boolean, { mode, id }: AskedRows): string {
  if (mode === 'given') return begins ? `Put the token ${id} before each row of the file` : 'Leave it out of the file';
  return set('bos', begins ? 'window' : 'none');
}
