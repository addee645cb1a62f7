/**
 * Finds where numbers stop being finite, and words the warning. A broken weight or an overflow makes a model's loss NaN
 * or infinite, and scores from such a loss have no meaningful order.
 */
import type { JobOptions } from '../progress';
import type { TokenRows } from '../model/forward';
import type { Model } from '../model/model';
import { stepsOf, type View } from '../model/view';
import { streamResidual } from './residual';
import type { CriterionResult } from './result';

/** Maximum number of names in one warning. */
const MAX_NAMES = 8;

/**
 * The first place where a model's hidden states are not finite, in words that follow "its hidden states are not finite
 * …". Undefined when all of them are finite.
 * @param rows tokens, all of one length
 * @throws CancelledError
 */
export async function placeOfBreak(
  model: Model,
  rows: TokenRows,
  view: View,
  job: JobOptions = {},
): Promise<string | undefined> {
  const steps = stepsOf(view);
  let first = Infinity; // 0 is the embedding, k + 1 the output of step k
  await streamResidual(
    model,
    rows,
    steps,
    (k, _row, before, after) => {
      if (k === 0 && first > 0 && !isFinite(before.data)) first = 0;
      if (first > k + 1 && !isFinite(after.data)) first = k + 1;
    },
    { signal: job.signal },
  );
  if (first === Infinity) return undefined;
  return first === 0 ? 'after the embedding' : `after block ${steps[first - 1].block}`;
}

/**
 * The warning for a loss that is not finite; undefined for a finite one.
 * @param meanNll mean token loss of the view over `rows`
 * @param rowLosses mean loss of each row, if known
 */
export async function lossWarning(
  model: Model,
  rows: TokenRows,
  view: View,
  { meanNll, rows: rowLosses }: { readonly meanNll: number; readonly rows?: readonly number[] },
  job?: JobOptions,
): Promise<string | undefined> {
  if (Number.isFinite(meanNll)) return undefined;
  const broken = rowLosses ? rows.filter((_, i) => !Number.isFinite(rowLosses[i])) : rows;
  const place = await placeOfBreak(model, broken.length > 0 ? broken : rows, view, job);
  const cause = place
    ? `its hidden states are not finite ${place}`
    : 'its hidden states are finite, but the logits of its head are not';
  return `the mean loss of the model on this text is ${meanNll}: ${cause}`;
}

/** What makes the score of stored weights no number. */
export const normCause = (tensor: string): string => `the norm of ${tensor} is not finite`;

/** Warnings about numbers in a result that are not finite, one sentence each. @throws CancelledError */
export async function resultWarnings(
  model: Model,
  rows: TokenRows,
  view: View,
  result: CriterionResult,
  job?: JobOptions,
): Promise<string[]> {
  const { full, zeroStates = 0 } = result;
  const warnings = zeroStates > 0 ? [zeroWarning(zeroStates)] : [];
  const ofLoss = full && (await lossWarning(model, rows, view, full, job));
  if (ofLoss !== undefined) return [...warnings, `${ofLoss}; the scores have no order`];
  const ofScores = scoresWarning(result);
  if (ofScores === undefined) return warnings;
  const place = full ? undefined : await placeOfBreak(model, rows, view, job);
  const cause = place === undefined ? '' : `: the model's hidden states are not finite ${place}`;
  return [...warnings, `${ofScores}${cause}`];
}

/**
 * What is to be said of a result that was gathered from parts, without the model.
 * @param cause of scores that are not finite, where it is known
 */
export function gatheredWarnings(result: CriterionResult, cause?: string): string[] {
  const { full, zeroStates = 0 } = result;
  const warnings = zeroStates > 0 ? [zeroWarning(zeroStates)] : [];
  if (full && !Number.isFinite(full.meanNll)) {
    return [...warnings, `the mean loss of the model on this text is ${full.meanNll}; the scores have no order`];
  }
  const ofScores = scoresWarning(result);
  if (ofScores === undefined) return warnings;
  return [...warnings, cause === undefined ? ofScores : `${ofScores}: ${cause}`];
}

/** "the scores of block 1, block 3 are not finite (NaN)"; undefined when all are finite. */
export function scoresWarning(result: CriterionResult): string | undefined {
  const broken = namedScores(result).filter(({ score }) => !Number.isFinite(score));
  if (broken.length === 0) return undefined;
  const names = broken.slice(0, MAX_NAMES).map(({ name }) => name);
  const rest = broken.length - names.length;
  const values = [...new Set(broken.map(({ score }) => String(score)))].join(', ');
  return `the scores of ${names.join(', ')}${rest > 0 ? ` and ${rest} more` : ''} are not finite (${values})`;
}

function namedScores({
  blocks = [],
  modules = [],
  windows = [],
  removals = [],
  search,
  moduleSearch,
}: CriterionResult): { name: string; score: number }[] {
  return [
    ...blocks.map(({ index, score }) => ({ name: `block ${index}`, score })),
    ...modules.map(({ block, part, score }) => ({ name: `${block}.${part}`, score })),
    ...windows.map(({ start, size, score }) => ({ name: `blocks ${start}-${start + size - 1}`, score })),
    ...removals.map(({ block, part, meanNll }) => {
      return { name: part === undefined ? `block ${block}` : `${block}.${part}`, score: meanNll };
    }),
    ...(search ? [{ name: `blocks ${search.blocks.join(', ')}`, score: search.kl }] : []),
    ...(moduleSearch ? [{ name: `parts ${moduleSearch.removed.join(', ')}`, score: moduleSearch.kl }] : []),
  ];
}

const zeroWarning = (count: number): string =>
  `${count} hidden states are all zeros and have no direction: if one remains zero it counts as unchanged, otherwise as turned by a right angle`;

function isFinite(values: Float32Array): boolean {
  return values.every((value) => Number.isFinite(value));
}
