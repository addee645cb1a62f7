/**
 * The perplexity sweep: all what-if models in one pass over the weights.
 *
 * Up to step k, a variant that leaves out step k is the model itself. So one state for the model and one for every
 * variant under way are pushed from step to step. At step k, a copy of the model's state becomes variant k, which skips
 * the step. This takes N(N+1)/2 block applications instead of N², and reads each weight once.
 */
import { partName, Work, type JobOptions } from '../progress';
import { headWork } from '../model/cost';
import { compareStates, type Comparison } from '../model/divergence';
import { Forward, type TokenRows } from '../model/forward';
import { tokenLosses } from '../model/head';
import type { LastStates } from '../model/last-states';
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

/** Losses, and divergences from a teacher, at every position that has a target. */
export type Compared = Pick<Comparison, 'losses' | 'divergences'>;

export interface SweepComparisons {
  /** The model itself. */
  readonly full: Compared;
  /** With each candidate left out, in the order of `candidates`. */
  readonly without: readonly Compared[];
}

/** Some rows, and the candidates whose variants are computed together over them. */
export interface Group {
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
  const perRow = rows[0].length - 1;
  const full = new Float64Array(rows.length * perRow);
  const without = candidates.map(() => new Float64Array(rows.length * perRow));
  for await (const { group, states, work } of sweepGroups(model, rows, steps, candidates, NOTHING, job)) {
    const [whole, ...variants] = await tokenLosses(model, states, group.rows, work);
    const at = group.firstRow * perRow;
    full.set(whole, at);
    group.candidates.forEach((candidate, i) => without[candidates.indexOf(candidate)].set(variants[i], at));
  }
  return { full, without };
}

/**
 * The same with divergences from a teacher.
 * @param teacher the teacher's last states over these rows; "full" if the model itself is the teacher
 * @throws UserError when the teacher has another vocabulary; CancelledError
 */
export async function sweepComparisons(
  model: Model,
  teacher: LastStates | 'full',
  rows: TokenRows,
  steps: readonly Step[],
  candidates: readonly number[],
  job: JobOptions = {},
): Promise<SweepComparisons> {
  const perRow = rows[0].length - 1;
  const room = (): Compared => ({
    losses: new Float64Array(rows.length * perRow),
    divergences: new Float64Array(rows.length * perRow),
  });
  const full = room();
  const without = candidates.map(room);
  const put = (to: Compared, from: Compared, at: number): void => {
    to.losses.set(from.losses, at);
    to.divergences.set(from.divergences, at);
  };
  const besides = teacher === 'full' ? { ...NOTHING, heads: 1 } : { states: 1, bytes: teacher.bytes, heads: 1 };
  for await (const { group, states, work } of sweepGroups(model, rows, steps, candidates, besides, job)) {
    const { firstRow } = group;
    const state = teacher === 'full' ? retainState(states[0]) : await teacher.of(firstRow, group.rows.length);
    try {
      const taught = { model: teacher === 'full' ? model : teacher.model, state };
      const [whole, ...variants] = await compareStates(model, taught, states, group.rows, work);
      put(full, whole, firstRow * perRow);
      group.candidates.forEach((candidate, i) =>
        put(without[candidates.indexOf(candidate)], variants[i], firstRow * perRow),
      );
    } finally {
      releaseState(state);
    }
  }
  return { full, without };
}

/** What exists beside the model and its variants. */
interface Besides {
  /** Hidden states of each row, and bytes of memory that are taken. */
  readonly states: number;
  readonly bytes: number;
  /** Passes through the head. */
  readonly heads: number;
}

const NOTHING: Besides = { states: 0, bytes: 0, heads: 0 };

/** Last hidden states of the model, then of each of the group's variants. They are released when the next group starts. */
async function* sweepGroups(
  model: Model,
  rows: TokenRows,
  steps: readonly Step[],
  candidates: readonly number[],
  besides: Besides,
  job: JobOptions,
): AsyncGenerator<{ group: Group; states: readonly State[]; work: Work }> {
  const { architecture, memory } = model;
  const rowBytes = rows[0].length * architecture.hidden * 4;
  const groups = groupWork(rows, candidates, rowBytes, memory - besides.bytes, besides.states);
  const total = groups.reduce((sum, group) => {
    const work = sweepWork(architecture, steps.length, group.candidates) + besides.heads * headWork(architecture);
    return sum + group.rows.length * work;
  }, 0);
  const work = new Work(job, total, 'row-blocks', 'reading the model');
  const forward = new Forward(model, rows[0].length);
  for (const [g, group] of groups.entries()) {
    const part = partName(g, groups.length);
    const states = await sweepGroup(forward, group, steps, work, part);
    work.step(`${part}step 2 of 2: losses`);
    try {
      yield { group, states, work };
    } finally {
      states.forEach(releaseState);
    }
  }
}

/** `part` prefixes the names of its steps. */
async function sweepGroup(
  forward: Forward,
  group: Group,
  steps: readonly Step[],
  work: Work,
  part: string,
): Promise<State[]> {
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
  return states;
}

/**
 * Cuts the work into groups whose hidden states fit the budget: by rows, and if the variants of a single row do not
 * fit, by variants too.
 * @param others states of a row that exist beside those of the model and its variants
 */
export function groupWork(
  rows: TokenRows,
  candidates: readonly number[],
  rowBytes: number,
  budget: number,
  others = 0,
): Group[] {
  const fitting = Math.floor(budget / rowBytes) - others; // states of one row
  const perGroup = Math.max(1, Math.min(candidates.length, fitting - 1));
  const rowsPerGroup = Math.max(1, Math.floor(Math.floor(budget / rowBytes) / (perGroup + 1 + others)));
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
