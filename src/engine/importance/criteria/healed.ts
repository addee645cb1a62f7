/**
 * Greedy removal by what healing leaves: remove the block without which the healed model is nearest to the unpruned one,
 * repeat. Every variant is healed in closed form on the calibration rows, by one fold for each of its cuts. The set that
 * is best before healing need not be the best after it.
 */
import type { ScoreRows } from '../criterion';
import { inPhases, type JobOptions, labelled } from '../../progress';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { fullView, stepsOf } from '../../model/view';
import { healedWork } from '../cost';
import { DenseStream } from '../dense-stream';
import { HealedSweep } from '../healed-sweep';
import { innerTargets } from '../healed-walk';
import { candidateBlocks, openSteps, removeInTurn, type RemovedInTurn } from '../in-turn';
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
  const shares = healedWork(model.architecture, steps.length, openSteps(steps, candidates), count, 'kl');
  const [toDense, ...rounds] = inPhases(
    job,
    shares.map((share) => ({ share })),
  );
  const named = labelled(toDense, 'the unpruned model');
  const dense = await DenseStream.compute(teacher, rows, innerTargets(steps), model.memory / 2, named);
  try {
    const sweep = await HealedSweep.open(model, dense, rows, job.signal);
    try {
      const measure = sweep.measure.bind(sweep);
      return await removeInTurn(steps, { count, candidates, sweep: measure }, rounds, job);
    } finally {
      await sweep.close();
    }
  } finally {
    await dense.close();
  }
}

export const scoreRows: ScoreRows = (model, rows, { view, count = 0, kept, teacher }, job) => {
  const candidates = candidateBlocks(model.architecture.layers.length, kept);
  return scoreHealed(model, rows, { view, count, candidates, teacher }, job);
};
