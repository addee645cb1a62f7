/** Whole measurements in one call: jobs take them apart, to keep answers and to be cut into parts. */
import { comparedRows, type Unpruned, type Viewed } from '../../src/engine/evaluate/compared';
import { type Perplexity, perplexityFrom, perplexityOfRows } from '../../src/engine/evaluate/perplexity';
import { taskResult } from '../../src/engine/evaluate/tasks/accuracy';
import { bundlesOf } from '../../src/engine/evaluate/tasks/bundles';
import { answerBundles, type AnswerOptions } from '../../src/engine/evaluate/tasks/evaluate';
import { itemsOf, type Task } from '../../src/engine/evaluate/tasks/item';
import type { TaskResult } from '../../src/engine/evaluate/tasks/results';
import { evaluationWindows, type WindowOptions } from '../../src/engine/evaluate/windows';
import type { Likeness } from '../../src/engine/heal/result';
import type { TokenRows } from '../../src/engine/model/forward';
import type { Model } from '../../src/engine/model/model';
import { fullView, type View } from '../../src/engine/model/view';
import type { JobOptions } from '../../src/engine/progress';
import { beginningOf } from '../../src/engine/tokenizer/bos';
import type { Tokenizer } from '../../src/engine/tokenizer/tokenizer';
import type { BosMode } from '../../src/format/bos';

interface PerplexityOptions extends Omit<WindowOptions, 'beginning'> {
  /** With the token of the model's config. */
  readonly bos: BosMode;
  /** The model to evaluate; the whole model when undefined. */
  readonly view?: View;
}

/**
 * Perplexity of a text, window by window.
 * @param ids the text, encoded without special tokens
 */
export async function evaluatePerplexity(
  model: Model,
  ids: ArrayLike<number>,
  { view = fullView(model.architecture.layers.length), bos, ...windows }: PerplexityOptions,
  job?: JobOptions,
): Promise<Perplexity> {
  const { bosTokenId } = model.architecture;
  const beginning = beginningOf(bos, { tokenizer: undefined, bosTokenId });
  const { rows } = evaluationWindows(ids, { ...windows, beginning });
  return perplexityOfRows(model, rows, view, job);
}

/** Perplexity and likeness to the unpruned model. @param rows tokens, all of one length */
export async function comparedPerplexity(
  viewed: Viewed,
  unpruned: Unpruned,
  rows: TokenRows,
  job: JobOptions = {},
): Promise<Perplexity & Likeness> {
  const { numbers, ...told } = await comparedRows(viewed, unpruned, rows, job);
  return { ...perplexityFrom(numbers, rows[0].length), ...told };
}

/** @returns a result for each task, its items in their order */
export async function evaluateTasks(
  model: Model,
  tokenizer: Tokenizer,
  tasks: readonly Task[],
  options: AnswerOptions,
  job: JobOptions = {},
): Promise<TaskResult[]> {
  const answers = await answerBundles(model, tokenizer, bundlesOf(tasks), options, job);
  return tasks.map((task) => {
    const found = answers.get(task)!;
    return taskResult(
      task,
      itemsOf(task).map((item) => found.get(item)!),
    );
  });
}
