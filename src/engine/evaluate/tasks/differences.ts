/**
 * How far models are apart on the same questions. Pairs say more than two accuracies: what both have right or wrong
 * tells nothing, so only the items on which they differ count (McNemar 1947).
 */
import { UserError } from '../../errors';
import type { Difference, PairedDifference, TaskDifference, TaskResult } from './results';
import { answerOf, scoreOf } from './accuracy';

/** Half of a 95 % interval in standard errors. */
const NORMAL_95 = 1.959963984540054;

/** A model's results. */
interface AnsweredTasks {
  readonly label: string;
  readonly tasks: readonly TaskResult[];
}

/** Differences of each further model to the first. */
export function differencesOf([first, ...others]: readonly AnsweredTasks[]): Difference[] {
  return others.map((other) => {
    const tasks = other.tasks.map((task, t) => taskDifference(first.tasks[t], task));
    return { label: other.label, tasks, average: tasks.length === 0 ? null : averageDifference(tasks) };
  });
}

/** @throws UserError when the two did not answer the same items */
export function taskDifference(first: TaskResult, other: TaskResult): TaskDifference {
  if (first.results.length !== other.results.length || first.results.some((r, i) => r.item !== other.results[i].item)) {
    throw new UserError(
      `The results of ${first.name} cannot be compared`,
      'the models did not answer the same items',
      'Evaluate both in one run.',
    );
  }
  const metric = other.reported;
  let [lost, gained, sum, squares] = [0, 0, 0, 0];
  const differing: number[] = [];
  for (const [i, before] of first.results.entries()) {
    const after = other.results[i];
    const [was, is] = [scoreOf(before, metric), scoreOf(after, metric)];
    if (was > is) lost++;
    if (is > was) gained++;
    sum += is - was;
    squares += (is - was) ** 2;
    const same =
      'choices' in before && 'choices' in after ? answerOf(before, metric) === answerOf(after, metric) : was === is;
    if (!same) differing.push(before.item);
  }
  const items = first.results.length;
  const difference = sum / items;
  const variance = items < 2 ? NaN : (squares / items - difference ** 2) / (items - 1);
  return {
    name: other.name,
    metric,
    difference,
    interval: items < 2 ? null : NORMAL_95 * Math.sqrt(Math.max(0, variance)),
    lost,
    gained,
    pValue: mcNemar(lost, gained),
    differing,
  };
}

/** The mean of the tasks' differences. Tasks are independent, so their squared standard errors add up. */
function averageDifference(tasks: readonly TaskDifference[]): PairedDifference {
  const difference = tasks.reduce((sum, task) => sum + task.difference, 0) / tasks.length;
  if (tasks.some(({ interval }) => interval === null)) return { difference, interval: null };
  const squares = tasks.reduce((sum, { interval }) => sum + (interval ?? 0) ** 2, 0);
  return { difference, interval: Math.sqrt(squares) / tasks.length };
}

/**
 * McNemar's exact test: how likely a split at least as uneven is, if each of the items that only one model has right
 * could as well be the other's. Two-sided, 2 · P(Binomial(n, ½) ≤ least), at most 1.
 */
export function mcNemar(lost: number, gained: number): number {
  const n = lost + gained;
  let logTerm = -n * Math.LN2; // ln P(0 of n)
  let sum = 0;
  for (let k = 0; k <= Math.min(lost, gained); k++) {
    sum += Math.exp(logTerm);
    logTerm += Math.log((n - k) / (k + 1));
  }
  return Math.min(1, 2 * sum);
}
