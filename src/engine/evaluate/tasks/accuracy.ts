/** Accuracies from the answers to a task's questions, as lm-evaluation-harness defines them. */
import type { ChoiceItemResult, ItemResult, TaskResult } from './results';
import type { Metric, Task } from './item';

/** Whether the model has an item right. @param metric for a written answer there is one only */
export function isRight(result: ItemResult, metric: Metric): boolean {
  return 'choices' in result ? answerOf(result, metric) === result.gold : result.correct;
}

/** What an item counts: 1 where the model has it right, 0 where not; of a text that is judged by what is new, that share. */
export const scoreOf = (result: ItemResult, metric: Metric): number =>
  'fresh' in result && result.fresh !== undefined ? result.fresh : Number(isRight(result, metric));

/** No choice: the model would write something else than the only one. */
export const OTHER = -1;

/**
 * The choice that the model takes: the first of the most likely ones, for `accNorm` by loglik per code point. A single one is
 * taken if each of its tokens is the model's first choice.
 */
export function answerOf({ choices }: ChoiceItemResult, metric: Metric): number {
  if (choices.length === 1) return choices[0].greedy ? 0 : OTHER;
  const values = choices.map(({ loglik, characters }) => (metric === 'acc' ? loglik : loglik / characters));
  return values.indexOf(Math.max(...values));
}

/** The result of a task from the answers to its items. */
export function taskResult(
  { name, reported, normalised }: Pick<Task, 'name' | 'reported' | 'normalised'>,
  results: readonly ItemResult[],
): TaskResult {
  const acc = shareOf(results.map((result) => scoreOf(result, 'acc')));
  const norm = normalised ? shareOf(results.map((result) => scoreOf(result, 'accNorm'))) : undefined;
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

/** Mean of the tasks' reported metrics; null without a task. */
export const averageOf = (tasks: readonly TaskResult[]): number | null =>
  tasks.length === 0 ? null : tasks.reduce((sum, task) => sum + reportedOf(task), 0) / tasks.length;

/** Mean of the scores and its standard error: the sample deviation (n − 1) / √n, which one item does not have. */
function shareOf(scores: readonly number[]): { readonly share: number; readonly stderr: number | null } {
  const n = scores.length;
  const share = scores.reduce((sum, score) => sum + score, 0) / n;
  const squares = scores.reduce((sum, score) => sum + score ** 2, 0) / n;
  return { share, stderr: n < 2 ? null : Math.sqrt(Math.max(0, squares - share ** 2) / (n - 1)) };
}
