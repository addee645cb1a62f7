/**
 * Greedy removal by what healing leaves: remove the block without which the healed model is nearest to the unpruned one,
 * repeat. Every variant is healed in closed form on the calibration rows, by one fold for each of its cuts. The set that
 * is best before healing need not be the best after it.
 *
 * What a fold leaves of the dense stream is known before the rest of the model is passed, and all folds of a round are
 * fitted in one pass. So a round measures only the candidates whose folds leave least.
 */
import type { ScoreRows } from '../criterion';
import { inPhases, type JobOptions, labelled } from '../../progress';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf } from '../../model/view';
import { type HealedWork, healedWork, shortlistSize } from '../cost';
import { DenseStream } from '../dense-stream';
import { HealedSweep, type LeftOver } from '../healed-sweep';
import { innerTargets } from '../healed-walk';
import { candidateBlocks, openSteps, removeInTurn, type RemovedInTurn, type Sweep } from '../in-turn';
import { rankBlocks } from '../select';
import type { GreedyOptions } from './greedy';

/**
 * @param rows calibration tokens, all rows of one length; healing is fitted on them
 * @returns the removals, each with the numbers of the healed model
 * @throws UserError when a temporary file is needed and cannot be written; CancelledError
 */
export async function scoreHealed(
  model: Model,
  rows: TokenRows,
  { view, count, candidates, teacher = model }: Omit<GreedyOptions, 'objective'>,
  job: JobOptions = {},
): Promise<RemovedInTurn> {
  const steps = stepsOf(view ?? fullView(model.architecture.layers.length));
  const work = healedWork(model.architecture, steps.length, openSteps(steps, candidates), count);
  const [toDense, ...rounds] = inPhases(job, [
    { share: work.dense },
    ...work.rounds.map(({ choosing, measuring }) => ({ share: choosing + measuring })),
  ]);
  const named = labelled(toDense, 'the original');
  const dense = await DenseStream.compute(teacher, rows, innerTargets(steps), model.memory / 2, named);
  try {
    const sweep = await HealedSweep.open(model, dense, rows, job.signal);
    try {
      return await removeInTurn(
        steps,
        { count, candidates, sweep: shortSweep(sweep, work, steps.length) },
        rounds,
        job,
      );
    } finally {
      await sweep.close();
    }
  } finally {
    await dense.close();
  }
}

/**
 * Measures the candidates whose folds leave least.
 * @param whole steps before the first round; each round has one less
 */
function shortSweep(sweep: HealedSweep, { rounds }: HealedWork, whole: number): Sweep {
  return async (steps, open, job) => {
    const some = shortlistSize(open.length);
    if (some === open.length) return sweep.measure(steps, open, job);
    const { choosing, measuring } = rounds[whole - steps.length];
    const [first, second] = inPhases(job, [{ share: choosing }, { share: measuring }]);
    const measured = shortlist(await sweep.leftOver(steps, open, first), some).map((i) => open[i]);
    return { ...(await sweep.measure(steps, measured, second)), measured };
  };
}

/**
 * The candidates whose folds leave least, by both measures in turn: the first misses blocks whose error is in all tokens,
 * the second those that change the one massive position.
 * @returns indices, ascending
 */
export function shortlist(left: readonly LeftOver[], count: number): number[] {
  const orders = [left.map(({ ofAll }) => ofAll), left.map(({ ofEach }) => ofEach)].map(rankBlocks);
  const inTurn = left.flatMap((_, place) => orders.map((order) => order[place]));
  return [...new Set(inTurn)].slice(0, count).sort((a, b) => a - b);
}

export const scoreRows: ScoreRows = (model, rows, { view, count = 0, kept, teacher }, job) => {
  const candidates = candidateBlocks(model.architecture.layers.length, kept);
  return scoreHealed(model, rows, { view, count, candidates, teacher }, job);
};
