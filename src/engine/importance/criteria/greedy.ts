/**
 * Greedy removal (Song et al. 2024, SLEB): remove the block whose absence costs least, score the remaining blocks
 * again, repeat. One sweep per removed block. The cost is the loss of the text, or the divergence from the unpruned
 * model.
 */
import type { ScoreRows } from '../criterion';
import { inPhases, type JobOptions } from '../../progress';
import type { TokenRows } from '../../model/forward';
import type { LastStates } from '../../model/last-states';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type View } from '../../model/view';
import { greedyWork } from '../cost';
import { candidateBlocks, type Measured, openSteps, removeInTurn, type RemovedInTurn, type Sweep } from '../in-turn';
import { summariseComparison, summariseLosses } from '../losses';
import type { Objective } from '../objective';
import { type Compared, sweepComparisons, sweepLosses } from '../sweep';
import { withTeacher } from '../teacher';

export interface GreedyOptions {
  readonly view?: View;
  /** Number of rounds. */
  readonly count: number;
  /** Blocks that may be removed; all when undefined. */
  readonly candidates?: readonly number[];
  /** ppl when undefined. */
  readonly objective?: Objective;
  /** The model whose whole is the teacher of the divergence; the model itself when undefined. */
  readonly teacher?: Model;
}

/**
 * @param rows calibration tokens, all rows of one length
 * @returns removals with `kl` if that is the objective
 * @throws UserError when a temporary file is needed and cannot be written; CancelledError
 */
export async function scoreGreedy(
  model: Model,
  rows: TokenRows,
  { view = fullView(model.architecture.layers.length), count, candidates, objective, teacher = model }: GreedyOptions,
  job: JobOptions = {},
): Promise<RemovedInTurn> {
  const steps = stepsOf(view);
  const shares = greedyWork(model.architecture, steps.length, openSteps(steps, candidates), count, objective);
  if (objective !== 'kl') {
    const rounds = inPhases(
      job,
      shares.map((share) => ({ share })),
    );
    return removeInTurn(steps, { count, candidates, sweep: lossSweep(model, rows) }, rounds, job);
  }
  return withTeacher(teacher, rows, shares.slice(1), job, (states, rounds) =>
    removeByDivergence(model, rows, { view, count, candidates, teacher: states }, rounds, job),
  );
}

/**
 * The same by divergence, from the known last states of the teacher.
 * @param rounds the job of each round
 * @throws UserError when the teacher has another vocabulary; CancelledError
 */
export function removeByDivergence(
  model: Model,
  rows: TokenRows,
  {
    view = fullView(model.architecture.layers.length),
    count,
    candidates,
    teacher,
  }: Pick<GreedyOptions, 'view' | 'count' | 'candidates'> & { readonly teacher: LastStates },
  rounds: readonly JobOptions[],
  job: JobOptions,
): Promise<RemovedInTurn> {
  const sweep = divergenceSweep(model, rows, teacher);
  return removeInTurn(stepsOf(view), { count, candidates, sweep }, rounds, job);
}

const lossSweep =
  (model: Model, rows: TokenRows): Sweep =>
  async (steps, open, job) => {
    const losses = await sweepLosses(model, rows, steps, open, job);
    const summary = (values: Float64Array): Measured => summariseLosses(values, rows[0].length - 1);
    return { full: summary(losses.full), without: losses.without.map(summary) };
  };

const divergenceSweep =
  (model: Model, rows: TokenRows, teacher: LastStates): Sweep =>
  async (steps, open, job) => {
    const found = await sweepComparisons(model, teacher, rows, steps, open, job);
    const summary = (compared: Compared): Measured => summariseComparison(compared, rows[0].length - 1).summary;
    return { full: summary(found.full), without: found.without.map(summary) };
  };

export const scoreRows: ScoreRows = async (model, rows, { view, count = 0, kept, objective, teacher }, job) => {
  const candidates = candidateBlocks(model.architecture.layers.length, kept);
  return { ...(await scoreGreedy(model, rows, { view, count, candidates, objective, teacher }, job)), objective };
};
