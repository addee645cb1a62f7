/** Accuracies from the answers to a task's questions, as lm-evaluation-harness defines them. */
import type { ChoiceItemResult, ItemResult, TaskResult } from './results';
import type { Metric, Task } from './item';

/** Whether the model has an item right. @param metric for a written answer there is one only */
export function isRight(result: ItemResult, metric: Metric): boolean {
  return 'choices' in result ? answerOf(result, metric) === result.gold : result.correct;
}

/** The choice that the model takes: the first of the most likely ones, for `accNorm` by loglik per code point. */
export function answerOf({ choices }: ChoiceItemResult, metric: Metric): number {
  const values = choices.map(({ loglik, characters }) => (metric === 'acc' ? loglik : loglik / characters));
  return values.indexOf(Math.max(...values));
}

/** The result of a task from the answers to its items. */
export function taskResult(
  { name, reported, normalised }: Pick<Task, 'name' | 'reported' | 'normalised'>,
  results: readonly ItemResult[],
): TaskResult {
  const acc = shareOf(results.map((result) => isRight(result, 'acc')));
  const norm = normalised ? shareOf(results.map((result) => isRight(result, 'accNorm'))) : undefined;
  return {
    name,
    items: results.length,
    acc: acc.share,
    accStderr: acc.stderr,
    ...(norm && { accNorm: norm.share, accNormStderr: norm.stderr }),
    reported: normalised ? reported : 'acc',
    results,
  };
}

/** The value of the metric that counts. */
export const reportedOf = ({ reported, acc, accNorm }: TaskResult): number =>
  reported === 'accNorm' ? (accNorm ?? acc) : acc;

/** Mean of the tasks' reported metrics. */
export const averageOf = (tasks: readonly TaskResult[]): number =>
  tasks.reduce((sum, task) => sum + reportedOf(task), 0) / tasks.length;

/** A share and its standard error: the sample deviation (n − 1) / √n, which one item does not have. */
function shareOf(right: readonly boolean[]): { readonly share: number; readonly stderr: number | null } {
  const n = right.length;
  const share = right.filter(Boolean).length / n;
  return { share, stderr: n < 2 ? null : Math.sqrt((share * (1 - share)) / (n - 1)) };
}
