/**
 * Greedy removal (Song et al. 2024, SLEB): remove the block whose absence costs least, score the remaining blocks
 * again, repeat. One sweep per removed block. The cost is the loss of the text, or the divergence from the unpruned
 * model.
 */
import type { ScoreRows } from '../criterion';
import { inPhases, type JobOptions, labelled } from '../../progress';
import { rankBlocks } from '../select';
import type { TokenRows } from '../../model/forward';
import type { LastStates } from '../../model/last-states';
import type { Model } from '../../model/model';
import { fullView, stepsOf, type Step, type View } from '../../model/view';
import { greedyWork } from '../cost';
import { summariseComparison, summariseLosses, type LossSummary } from '../losses';
import type { Objective } from '../objective';
import type { Removal } from '../result';
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

export interface Greedy {
  /** The model with nothing removed. */
  readonly full: Measured;
  /** In their order; fewer than `count` when there are not enough candidates. */
  readonly removals: Removal[];
}

/** `kl` only with the objective kl. */
type Measured = LossSummary & { readonly kl?: number };

/** Measures the model with `steps`, and each model that lacks one candidate. */
type Sweep = (
  steps: readonly Step[],
  candidates: readonly number[],
  job: JobOptions,
) => Promise<{ full: Measured; without: Measured[] }>;

/**
 * @param rows calibration tokens, all rows of one length
 * @throws UserError when a temporary file is needed and cannot be written; CancelledError
 */
export async function scoreGreedy(
  model: Model,
  rows: TokenRows,
  { view = fullView(model.architecture.layers.length), count, candidates, objective, teacher = model }: GreedyOptions,
  job: JobOptions = {},
): Promise<Greedy> {
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
): Promise<Greedy> {
  const sweep = divergenceSweep(model, rows, teacher);
  return removeInTurn(stepsOf(view), { count, candidates, sweep }, rounds, job);
}

async function removeInTurn(
  start: readonly Step[],
  { count, candidates, sweep }: Pick<GreedyOptions, 'count' | 'candidates'> & { readonly sweep: Sweep },
  rounds: readonly JobOptions[],
  { signal }: JobOptions,
): Promise<Greedy> {
  let steps = start;
  let full: Measured | undefined;
  const removals: Removal[] = [];
  for (let round = 0; round < count; round++) {
    const open = openSteps(steps, candidates);
    if (open.length === 0) break;
    const named = labelled(rounds[round], `round ${round + 1} of ${rounds.length}`);
    const found = await sweep(steps, open, named);
    full ??= found.full;
    const [best] = rankBlocks(found.without.map(({ kl, meanNll }) => kl ?? meanNll));
    const { meanNll, ppl, kl } = found.without[best];
    removals.push({ block: steps[open[best]].block, meanNll, ppl, ...(kl !== undefined && { kl }) });
    steps = steps.filter((_, k) => k !== open[best]);
  }
  full ??= (await sweep(steps, [], { signal })).full;
  return { full, removals };
}

const lossSweep =
  (model: Model, rows: TokenRows): Sweep =>
  async (steps, open, job) => {
    const losses = await sweepLosses(model, rows, steps, open, job);
    const summary = (values: Float64Array): LossSummary => summariseLosses(values, rows[0].length - 1);
    return { full: summary(losses.full), without: losses.without.map(summary) };
  };

const divergenceSweep =
  (model: Model, rows: TokenRows, teacher: LastStates): Sweep =>
  async (steps, open, job) => {
    const found = await sweepComparisons(model, teacher, rows, steps, open, job);
    const summary = (compared: Compared): Measured => summariseComparison(compared, rows[0].length - 1).summary;
    return { full: summary(found.full), without: found.without.map(summary) };
  };

/** Indices of the steps that may be removed. */
export const openSteps = (steps: readonly Step[], candidates: readonly number[] | undefined): number[] =>
  [...steps.keys()].filter((k) => candidates?.includes(steps[k].block) ?? true);

export const scoreRows: ScoreRows = async (model, rows, { view, count = 0, kept, objective, teacher }, job) => {
  const blocks = Array.from({ length: model.architecture.layers.length }, (_, block) => block);
  const candidates = kept && blocks.filter((block) => !kept.has(block));
  return { ...(await scoreGreedy(model, rows, { view, count, candidates, objective, teacher }, job)), objective };
};
