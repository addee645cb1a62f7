/**
 * How far a model moves from a teacher when sets of blocks are removed: KL(teacher ‖ model) over the whole vocabulary.
 * Many sets go through the model together, block by block, and share the states of their common prefixes, so each block
 * is opened once.
 */
import { type JobOptions, partName, Work } from '../progress';
import { comparisonWork, stateDivergences } from '../model/divergence';
import { Forward, type TokenRows } from '../model/forward';
import type { TaughtRows } from '../model/last-states';
import type { Model } from '../model/model';
import { releaseState } from '../model/states';
import type { View } from '../model/view';
import { sharedApplications } from '../model/shared-applications';
import { statesOfViews } from '../model/view-states';
import type { Fitness } from './evolution';
import { summariseComparison } from './losses';
import { type Group, groupWork } from './groups';
import type { Compared } from './sweep';

/** What sets are removed from, and measured on. */
export interface SetSubject {
  readonly model: Model;
  /** The whole model, or the part of it that sets are removed from. */
  readonly view: View;
  /** Tokens, all rows of one length. */
  readonly rows: TokenRows;
  /** Of the teacher, over these rows. */
  readonly teacher: TaughtRows;
}

/**
 * @param sets blocks to remove from the view, each ascending
 * @param rows indices of the rows to measure on; all when undefined
 * @returns the fitness of each set, a mean over all positions that have a target
 * @throws UserError when the teacher has another vocabulary; CancelledError
 */
export const divergencesOfSets = (
  subject: SetSubject,
  sets: readonly (readonly number[])[],
  rows?: readonly number[],
  job?: JobOptions,
): Promise<Fitness[]> =>
  divergencesOfViews(
    subject,
    sets.map((set) => viewLacking(subject.view, set)),
    rows,
    job,
  );

/** The same for what is left without each set, which may lack single modules. */
export async function divergencesOfViews(
  subject: Omit<SetSubject, 'view'>,
  views: readonly View[],
  rows?: readonly number[],
  job: JobOptions = {},
): Promise<Fitness[]> {
  const perRow = subject.rows[0].length - 1;
  return (await comparedViews(subject, views, rows, job)).map((compared) => fitnessOf(compared, perRow));
}

/** @param perRow positions of a row */
export function fitnessOf(compared: Compared, perRow: number): Fitness {
  const { kl, meanNll } = summariseComparison(compared, perRow);
  return { kl, meanNll };
}

/** The numbers of every position. */
export async function comparedViews(
  { model, rows: all, teacher }: Omit<SetSubject, 'view'>,
  views: readonly View[],
  rows: readonly number[] = [...all.keys()],
  job: JobOptions = {},
): Promise<Compared[]> {
  const { architecture, memory } = model;
  const { length } = all[0];
  const perRow = length - 1;
  const found = views.map((): Compared => room(rows.length * perRow));
  const tokens = rows.map((row) => all[row]);
  const rowBytes = length * architecture.hidden * Float32Array.BYTES_PER_ELEMENT;
  // Beside the sets there is the teacher; their common prefix takes the place of the model itself.
  const groups = groupWork(tokens, [...views.keys()], rowBytes, memory - teacher.bytes, 1);
  const viewsOf = ({ candidates }: Group): View[] => candidates.map((set) => views[set]);
  const costs = groups.map((group) => {
    const { length: some } = group.candidates;
    return group.rows.length * (sharedApplications(viewsOf(group)) + comparisonWork(architecture, some));
  });
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const work = new Work(job, total, 'row-blocks', 'reading the model');
  const forward = new Forward(model, length);
  for (const [g, group] of groups.entries()) {
    const part = partName(g, groups.length);
    const name = (block: number, blocks: number): string => `${part}block ${block + 1} of ${blocks}`;
    const states = await statesOfViews(forward, group.rows, viewsOf(group), work, name);
    const taught = await teacher.ofRows(rows.slice(group.firstRow, group.firstRow + group.rows.length));
    work.step(`${part}divergences`);
    const compared = await stateDivergences(model, { model: teacher.model, state: taught }, states, group.rows, work);
    [taught, ...states].forEach(releaseState);
    group.candidates.forEach((set, i) => {
      found[set].losses.set(compared[i].losses, group.firstRow * perRow);
      found[set].divergences.set(compared[i].divergences, group.firstRow * perRow);
    });
  }
  return found;
}

const room = (positions: number): Compared => ({
  losses: new Float64Array(positions),
  divergences: new Float64Array(positions),
});

/** The view without some blocks. */
export function viewLacking({ attention, ffn }: View, set: readonly number[]): View {
  const isLeft = (kept: boolean, block: number): boolean => kept && !set.includes(block);
  return { attention: attention.map(isLeft), ffn: ffn.map(isLeft) };
}
