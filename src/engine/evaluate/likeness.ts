/**
 * How near views of a model are to the unpruned model, in one pass over its weights: perplexity, KL divergence and how
 * often both have the same most likely token. Views share their common beginnings, as in `lossesOfViews`.
 */
import type { Likeness } from '../heal/result';
import { compareStates, comparisonWork } from '../model/divergence';
import { rowsPerGroup } from '../model/cost';
import { Forward, type TokenRows } from '../model/forward';
import { LastStates } from '../model/last-states';
import type { Model } from '../model/model';
import { releaseState } from '../model/states';
import { fullView, stepsOf, type View } from '../model/view';
import { sharedApplications } from '../model/shared-applications';
import { statesOfViews } from '../model/view-states';
import { type JobOptions, partName, Work } from '../progress';
import { comparisonByRow, joinedRows, type RowComparisons, summariseNumbers } from './row-numbers';

/** Share of the memory budget that the unpruned model's last states may take. */
const TEACHER_SHARE = 1 / 4;

/**
 * The last states of the whole model over the rows. The caller closes them.
 * @param rows tokens, all of one length
 * @throws CancelledError
 */
export function wholeStates(model: Model, rows: TokenRows, job: JobOptions = {}): Promise<LastStates> {
  const steps = stepsOf(fullView(model.architecture.layers.length));
  return LastStates.compute(model, rows, steps, model.memory * TEACHER_SHARE, job);
}

/** The cost of comparing views, in applications of a block to a row, for each row. */
const likenessWork = (model: Model, views: readonly View[]): number =>
  sharedApplications(views) + comparisonWork(model.architecture, views.length);

/**
 * Compares views of a model with the unpruned model.
 * @param teacher last states of the unpruned model over the same rows
 * @param rows tokens, all of one length
 * @throws UserError when the unpruned model has another vocabulary; CancelledError
 */
export async function likenessOfViews(
  model: Model,
  teacher: LastStates,
  rows: TokenRows,
  views: readonly View[],
  job: JobOptions = {},
): Promise<Likeness[]> {
  const found = await comparedViews(model, teacher, rows, views, job);
  return found.map((numbers) => {
    const { meanNll, ppl, kl, top1 } = summariseNumbers(numbers, rows[0].length - 1);
    return { meanNll, ppl, kl, top1 };
  });
}

/** The same of every row. */
export async function comparedViews(
  model: Model,
  teacher: LastStates,
  rows: TokenRows,
  views: readonly View[],
  job: JobOptions = {},
): Promise<RowComparisons[]> {
  const { length } = rows[0];
  const rowBytes = length * model.architecture.hidden * Float32Array.BYTES_PER_ELEMENT;
  const room = Math.max(0, model.memory - teacher.bytes);
  const perGroup = rowsPerGroup(Math.floor(room / (rowBytes * (views.length + 2))), length);
  const work = new Work(job, rows.length * likenessWork(model, views), 'row-blocks', 'measuring');
  const forward = new Forward(model, length);
  const groups = views.map((): RowComparisons[] => []);
  for (let at = 0; at < rows.length; at += perGroup) {
    const group = rows.slice(at, at + perGroup);
    const part = partName(at / perGroup, Math.ceil(rows.length / perGroup));
    const name = (block: number, blocks: number): string => `${part}block ${block + 1} of ${blocks}`;
    const states = await statesOfViews(forward, group, views, work, name);
    const taught = await teacher.of(at, group.length);
    work.step(`${part}divergences`);
    const found = await compareStates(model, { model: teacher.model, state: taught }, states, group, work);
    [taught, ...states].forEach(releaseState);
    found.forEach((comparison, v) => groups[v].push(comparisonByRow(comparison, length - 1)));
  }
  return groups.map(joinedRows);
}
