/**
 * Greedy removal by what healing leaves: remove the block without which the healed model is nearest to the unpruned one,
 * repeat. Every variant is healed in closed form on the calibration rows, by one fold for each of its cuts. The set that
 * is best before healing need not be the best after it.
 *
 * What a fold leaves of the dense stream is known before the rest of the model is passed, and all folds of a round are
 * fitted in one pass. So a round measures only the candidates whose folds leave least. Of parts that differ in size, it
 * measures those that cost least before.
 */
import type { ScoreRows } from '../criterion';
import { inPhases, type JobOptions, labelled } from '../../progress';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf } from '../../model/view';
import { foldWork, type HealedWork, healedWork, modulesWork, shortlistSize } from '../cost';
import { DenseStream } from '../dense-stream';
import { HealedSweep, type LeftOver } from '../healed-sweep';
import { innerTargets } from '../healed-walk';
import { roomFor, savesOf } from '../module-costs';
import { removeWithin } from '../modules-in-turn';
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
  {
    view = fullView(model.architecture.layers.length),
    count,
    candidates,
    teacher = model,
    modules,
    parameters,
    maxKl,
  }: Omit<GreedyOptions, 'objective'>,
  job: JobOptions = {},
): Promise<RemovedInTurn> {
  const { architecture } = model;
  const steps = stepsOf(view);
  const open = openSteps(steps, candidates);
  const work = healedWork(architecture, steps.length, open, count);
  const shares = modules
    ? [modulesWork(architecture, steps.length, open, count, 'kl', foldWork(architecture)).rounds]
    : work.rounds.map(({ choosing, measuring }) => choosing + measuring);
  const [toDense, ...rounds] = inPhases(
    job,
    [work.dense, ...shares].map((share) => ({ share })),
  );
  const named = labelled(toDense, 'the original');
  const dense = await DenseStream.compute(
    teacher,
    rows,
    innerTargets(stepsOf(view, modules !== undefined)),
    model.memory / 2,
    named,
  );
  try {
    const sweep = await HealedSweep.open(model, dense, rows, job.signal);
    try {
      if (modules) {
        const room = roomFor(architecture, modules, { count, parameters });
        const measured: Sweep = (some, open, now) => sweep.measure(some, open, now);
        return await removeWithin(view, { candidates, saves: modules, ...room, maxKl, sweep: measured }, rounds[0]);
      }
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

export const scoreRows: ScoreRows = async (model, rows, scope, job) => {
  const { view, count = 0, kept, teacher, granularity, cost = 'bytes', parameters, maxKl } = scope;
  const candidates = candidateBlocks(model.architecture.layers.length, kept);
  if (granularity !== 'module') return scoreHealed(model, rows, { view, count, candidates, teacher }, job);
  const modules = await savesOf(cost, model, rows, job);
  const options = { view, count, candidates, teacher, modules, parameters, maxKl };
  return { ...(await scoreHealed(model, rows, options, job)), cost };
};
