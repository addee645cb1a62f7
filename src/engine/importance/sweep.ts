/**
 * The perplexity sweep: all what-if models in one pass over the weights.
 *
 * Up to step k, a variant that leaves out step k is the model itself. So one state for the model and one for every
 * variant under way are pushed from step to step. At step k, a copy of the model's state becomes variant k, which skips
 * the step. This takes N(N+1)/2 block applications instead of N², and reads each weight once.
 */
import { partName, Work, type JobOptions } from '../progress';
import { Forward, type TokenRows } from '../model/forward';
import { tokenLosses } from '../model/head';
import type { Model } from '../model/model';
import { releaseState, retainState, type State } from '../model/states';
import type { Step } from '../model/view';
import { sweepWork } from './cost';

export interface SweepLosses {
  /** Token losses of the model itself, (rows · (length − 1)) in nats. */
  readonly full: Float64Array;
  /** Token losses with each candidate left out, in the order of `candidates`. */
  readonly without: readonly Float64Array[];
}

/** Some rows, and the candidates whose variants are computed together over them. */
interface Group {
  readonly firstRow: number;
  readonly rows: TokenRows;
  readonly candidates: readonly number[];
}

/**
 * Losses of the model with `steps`, and of every model that lacks one candidate.
 * @param rows tokens, all of one length
 * @param candidates indices into `steps`, ascending
 * @throws CancelledError
 */
export async function sweepLosses(
  model: Model,
  rows: TokenRows,
  steps: readonly Step[],
  candidates: readonly number[],
  job: JobOptions = {},
): Promise<SweepLosses> {
  const { length } = rows[0];
  const groups = groupWork(rows, candidates, length * model.architecture.hidden * 4, model.memory);
  const work = new Work(job, totalWork(model, groups, steps.length), 'row-blocks', 'reading the model');
  const perRow = length - 1;
  const full = new Float64Array(rows.length * perRow);
  const without = candidates.map(() => new Float64Array(rows.length * perRow));
  const forward = new Forward(model, length);
  for (const [g, group] of groups.entries()) {
    const part = partName(g, groups.length);
    const [whole, ...variants] = await sweepGroup(forward, model, group, steps, work, part);
    const at = group.firstRow * perRow;
    full.set(whole, at);
    group.candidates.forEach((candidate, i) => without[candidates.indexOf(candidate)].set(variants[i], at));
  }
  return { full, without };
}

/** Token losses of the model, then of each of the group's variants. `part` prefixes the names of its steps. */
async function sweepGroup(
  forward: Forward,
  model: Model,
  group: Group,
  steps: readonly Step[],
  work: Work,
  part: string,
) {
  const states: State[] = [await forward.embed(group.rows)]; // the model first, then the variants under way
  for (const [k, step] of steps.entries()) {
    const skipping = group.candidates.includes(k) ? retainState(states[0]) : undefined;
    work.step(`${part}step 1 of 2: block ${k + 1} of ${steps.length}`);
    const open = await forward.open(step, false);
    try {
      for (const [s, state] of states.entries()) {
        const next = [];
        for (const chunk of state) {
          next.push(await open.run(chunk));
          chunk.release();
          work.advance(chunk.rows);
        }
        states[s] = next;
      }
    } finally {
      await open.close();
    }
    if (skipping) states.push(skipping);
  }
  work.step(`${part}step 2 of 2: losses`);
  const losses = await tokenLosses(model, states, group.rows, work);
  states.forEach(releaseState);
  return losses;
}

/**
 * Cuts the work into groups whose hidden states fit the budget: by rows, and if the variants of a single row do not
 * fit, by variants too.
 */
export function groupWork(rows: TokenRows, candidates: readonly number[], rowBytes: number, budget: number): Group[] {
  const fitting = Math.floor(budget / rowBytes); // states of one row
  const perGroup = Math.max(1, Math.min(candidates.length, fitting - 1));
  const rowsPerGroup = Math.max(1, Math.floor(fitting / (perGroup + 1)));
  const pieces = Math.ceil(rows.length / rowsPerGroup);
  const even = Math.ceil(rows.length / pieces);
  const groups: Group[] = [];
  for (let firstRow = 0; firstRow < rows.length; firstRow += even) {
    const some = rows.slice(firstRow, firstRow + even);
    for (let c = 0; c < Math.max(1, candidates.length); c += perGroup) {
      groups.push({ firstRow, rows: some, candidates: candidates.slice(c, c + perGroup) });
    }
  }
  return groups;
}

function totalWork(model: Model, groups: readonly Group[], steps: number): number {
  return groups.reduce(
    (sum, { rows, candidates }) => sum + rows.length * sweepWork(model.architecture, steps, candidates),
    0,
  );
}
