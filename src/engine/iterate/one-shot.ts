/**
 * The same number of blocks removed at once, by the scores of the first round, and trained for as many steps as all the
 * rounds (Shortened LLaMA, Figure 5): what iterating is compared with.
 */
import type { Likeness } from '../heal/result';
import { rankBlocks, selectByOrder } from '../importance/select';
import { isSized } from '../importance/criteria';
import { withModel } from '../model/opened';
import { likenessOfViews } from '../evaluate/likeness';
import { inPhases, type JobOptions, labelled } from '../progress';
import { rm } from 'node:fs/promises';
import type { IterativeRun } from './iterate';
import { type OneShotPoint, recoveryOf } from './result';

/**
 * @param plain of the rounds; where both remove the same blocks, the same numbers
 * @param which counts: that of the rounds, or every one up to it
 * @returns ascending by count
 */
export async function oneShotPoints(
  run: IterativeRun,
  plain: readonly Likeness[],
  which: 'end' | 'each',
  job: JobOptions,
): Promise<OneShotPoint[]> {
  const total = run.rounds.length;
  const counts = which === 'end' ? [total] : run.rounds.map(({ round }) => round);
  const [choosing, ...rest] = inPhases(job, [{ share: 1 }, ...counts.map((count) => ({ share: 5 * count }))]);
  const sets = await removedSets(run, counts, choosing);
  const pruned = await measured(run, sets, choosing);
  for (const [i, count] of counts.entries()) {
    if (run.oneShot.some((point) => point.count === count)) continue;
    const before = pruned[i];
    await run.save({
      oneShot: [...run.oneShot, await pointOf(run, plain, { count, removed: sets[i], pruned: before }, rest[i])],
    });
  }
  return run.oneShot.filter(({ count }) => counts.includes(count)).sort((a, b) => a.count - b.count);
}

/** The blocks of each count, ascending. */
async function removedSets(run: IterativeRun, counts: readonly number[], job: JobOptions): Promise<number[][]> {
  const { criterion, kept } = run.task;
  const [{ scores }] = run.rounds;
  if (!isSized(criterion) && criterion !== 'angular') {
    const order = rankBlocks(scores.map(({ score }) => score)).map((i) => scores[i].block);
    return counts.map((count) => selectByOrder(order, count, kept));
  }
  // Criteria that choose blocks together choose as many at once.
  const sets: number[][] = [];
  for (const count of counts) {
    const scored = await run.score([], [], count, labelled(job, 'choosing the blocks'));
    sets.push(run.choose(scored, [], count));
  }
  return sets;
}

function measured(run: IterativeRun, sets: readonly (readonly number[])[], job: JobOptions): Promise<Likeness[]> {
  const { checkpoint, compute, teacher, rows } = run.task;
  const views = sets.map((removed) => run.viewWithout(removed));
  return withModel(checkpoint, compute, (model) => likenessOfViews(model, teacher, rows, views, job));
}

async function pointOf(
  run: IterativeRun,
  plain: readonly Likeness[],
  { count, removed, pruned }: Pick<OneShotPoint, 'count' | 'removed' | 'pruned'>,
  job: JobOptions,
): Promise<OneShotPoint> {
  const [first] = run.rounds;
  // One block at once is the first round.
  if (count === 1 && first.block === removed[0]) {
    const { healed, trainingSeconds, steps, trace, weights } = first;
    const recovery = recoveryOf(run.task.full.meanNll, plain[0].meanNll, healed.meanNll, trainingSeconds);
    return { count, removed, pruned: plain[0], healed, trainingSeconds, steps, trace, weights, recovery };
  }
  const name = `one-shot-${count}`;
  const phases = inPhases(labelled(job, `${count} blocks`), [{ share: 9 }, { share: 1 }]);
  const healing = { changes: [], before: 0, rounds: count };
  const { isWritten, ...point } = await run.heal({ removed, pruned, name }, healing, phases);
  if (isWritten) await rm(run.task.workspace.weights(name), { force: true });
  await rm(run.task.workspace.training(name), { force: true });
  return { count, ...point };
}
