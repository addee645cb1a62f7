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
import { fullView, stepsOf, type Step, type View } from '../../model/view';
import { greedyWork, screenedRows } from '../cost';
import { candidateBlocks, type VariantLoss, openSteps, removeInTurn, type RemovedInTurn, type Sweep } from '../in-turn';
import type { ScreenSummary } from '../result';
import { type RoundOf, ScreenedRounds } from '../screened-rounds';
import type { Screening } from '../screened-sweep';
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
  /** A screen of each round, which leaves only its leaders to the model's own precision. */
  readonly screening?: Screening;
}

export type Removed = RemovedInTurn & { readonly screen?: ScreenSummary };

/**
 * @param rows calibration tokens, all rows of one length
 * @returns removals with `kl` if that is the objective
 * @throws UserError when a temporary file is needed and cannot be written; CancelledError
 */
export async function scoreGreedy(
  model: Model,
  rows: TokenRows,
  options: GreedyOptions,
  job: JobOptions = {},
): Promise<Removed> {
  const { view = fullView(model.architecture.layers.length), count, candidates, objective, teacher = model } = options;
  const { screening } = options;
  const steps = stepsOf(view);
  const shares = greedyWork(model.architecture, steps.length, openSteps(steps, candidates), count, objective);
  if (objective !== 'kl') {
    const rounds = inPhases(
      job,
      shares.map((share) => ({ share })),
    );
    const inPrecision = (one: Model) => lossRound(one, rows);
    const summary = (losses: Float64Array): VariantLoss => summariseLosses(losses, rows[0].length - 1);
    return removeBy({ model, rows, screening, inPrecision, summary }, steps, { count, candidates }, rounds, job);
  }
  return withTeacher(teacher, rows, shares.slice(1), job, (states, rounds) =>
    removeByDivergence(model, rows, { view, count, candidates, teacher: states, screening }, rounds, job),
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
    screening,
  }: Pick<GreedyOptions, 'view' | 'count' | 'candidates' | 'screening'> & { readonly teacher: LastStates },
  rounds: readonly JobOptions[],
  job: JobOptions,
): Promise<Removed> {
  const inPrecision = (one: Model) => divergenceRound(one, rows, teacher);
  const summary = (compared: Compared): VariantLoss => summariseComparison(compared, rows[0].length - 1).summary;
  return removeBy({ model, rows, screening, inPrecision, summary }, stepsOf(view), { count, candidates }, rounds, job);
}

/** Rounds of a model, and of its screen if there is one. */
interface Subject<T> {
  readonly model: Model;
  readonly rows: TokenRows;
  readonly screening: Screening | undefined;
  readonly inPrecision: (model: Model) => RoundOf<T>;
  readonly summary: (value: T) => VariantLoss;
}

async function removeBy<T extends object>(
  { model, rows, screening, inPrecision, summary }: Subject<T>,
  steps: readonly Step[],
  inTurn: Pick<GreedyOptions, 'count' | 'candidates'>,
  rounds: readonly JobOptions[],
  job: JobOptions,
): Promise<Removed> {
  const exact = inPrecision(model);
  if (screening) {
    const rough = new ScreenedRounds(screenedRows(model, rows), {
      exact,
      screen: inPrecision(screening.model),
      summary,
    });
    const removed = await removeInTurn(steps, { ...inTurn, sweep: rough.sweep }, rounds, job);
    return { ...removed, screen: rough.summary(screening.model) };
  }
  const sweep: Sweep = async (...round) => {
    const { full, without } = await exact(...round);
    return { full: summary(full), without: without.map(summary) };
  };
  return removeInTurn(steps, { ...inTurn, sweep }, rounds, job);
}

const lossRound =
  (model: Model, rows: TokenRows): RoundOf<Float64Array> =>
  (...round) =>
    sweepLosses(model, rows, ...round);

const divergenceRound =
  (model: Model, rows: TokenRows, teacher: LastStates): RoundOf<Compared> =>
  (...round) =>
    sweepComparisons(model, teacher, rows, ...round);

export const scoreRows: ScoreRows = async (model, rows, scope, job) => {
  const { view, count = 0, kept, objective, teacher, screening } = scope;
  const candidates = candidateBlocks(model.architecture.layers.length, kept);
  const options = { view, count, candidates, objective, teacher, screening };
  return { ...(await scoreGreedy(model, rows, options, job)), objective };
};
