/** One model's answers to the questions of some tasks. */
import { modelName } from '../../records/record';
import type { ChoiceItemResult, ItemResult, TaskResult, WrittenItemResult } from './results';
import { UserError } from '../../errors';
import { type JobOptions, partName, Work } from '../../progress';
import type { Model } from '../../model/model';
import type { View } from '../../model/view';
import type { Tokenizer } from '../../tokenizer/tokenizer';
import { writePrompts } from '../write-prompts';
import { taskResult } from './accuracy';
import { isCorrect } from './correct';
import { encodeItem, type EncodeSettings } from './encode';
import type { ChoiceItem, Task } from './item';

import { groupsOf, type Question, questionOf, questionsWork, scoreQuestions } from './score';

export interface EvaluateTasksOptions {
  readonly view: View;
  /** Put the model's begin-of-text token in front of every question. */
  readonly bos: boolean;
  /** Answers that are known already. */
  readonly known?: (task: Task, item: number) => ItemResult | undefined;
  /** Awaited with new answers, some at a time. */
  readonly onAnswers?: (task: Task, results: readonly ItemResult[]) => Promise<void>;
}

/** Answers that are written side by side. */
const TOGETHER = 16;

/** A question of a task, ready for the model. */
interface Asked extends Question {
  readonly task: Task;
  readonly item: ChoiceItem;
}

/**
 * @returns a result for each task, its items in their order
 * @throws UserError when a question cannot be asked, or a likelihood is not finite; CancelledError
 */
export async function evaluateTasks(
  model: Model,
  tokenizer: Tokenizer,
  tasks: readonly Task[],
  options: EvaluateTasksOptions,
  job: JobOptions = {},
): Promise<TaskResult[]> {
  const found = new Map(tasks.map((task) => [task, new Map<number, ItemResult>()]));
  for (const task of tasks) {
    for (const { item } of [...task.choiceItems, ...task.writtenItems]) {
      const known = options.known?.(task, item);
      if (known) found.get(task)!.set(item, known);
    }
  }
  const isOpen = (task: Task, item: number): boolean => !found.get(task)!.has(item);
  const keep = async (task: Task, results: readonly ItemResult[]): Promise<void> => {
    for (const result of results) found.get(task)!.set(result.item, result);
    await options.onAnswers?.(task, results);
  };
  await answerChoices(model, tokenizer, tasks, isOpen, options, keep, job);
  await answerWritten(model, tokenizer, tasks, isOpen, options, keep, job);
  return tasks.map((task) => {
    const items = [...task.choiceItems, ...task.writtenItems].map(({ item }) => item).sort((a, b) => a - b);
    return taskResult(
      task,
      items.map((item) => found.get(task)!.get(item)!),
    );
  });
}

type Keep = (task: Task, results: readonly ItemResult[]) => Promise<void>;
type IsOpen = (task: Task, item: number) => boolean;

async function answerChoices(
  model: Model,
  tokenizer: Tokenizer,
  tasks: readonly Task[],
  isOpen: IsOpen,
  { view, bos }: EvaluateTasksOptions,
  keep: Keep,
  job: JobOptions,
): Promise<void> {
  const open = tasks.flatMap((task) =>
    task.choiceItems.filter(({ item }) => isOpen(task, item)).map((item) => ({ task, item })),
  );
  if (open.length === 0) return;
  const settings = encodeSettings(model, bos);
  const reading = new Work(job, open.length, 'items', 'reading questions as tokens');
  const asked: Asked[] = [];
  for (const { task, item } of open) {
    asked.push({ ...questionOf(await encodeItem(tokenizer, item, settings), model.architecture), task, item });
    reading.advance(1);
  }
  const groups = groupsOf(asked, model);
  const work = new Work(
    job,
    groups.reduce((sum, group) => sum + questionsWork(group, model, view), 0),
    'token-blocks',
    'answering',
  );
  for (const [g, group] of groups.entries()) {
    const scores = await scoreQuestions(model, view, group, work, partName(g, groups.length));
    const results = group.map(({ item, rows }, q): ChoiceItemResult => {
      const choices = rows.map(({ targets }, c) => {
        const { loglik, greedy } = scores[q][c];
        if (!Number.isFinite(loglik)) throw notFinite(model, item, loglik);
        return { loglik, tokens: targets.length, characters: item.choices[c].characters, greedy };
      });
      return { item: item.item, gold: item.gold, choices };
    });
    for (const task of new Set(group.map((each) => each.task))) {
      await keep(
        task,
        results.filter((_, q) => group[q].task === task),
      );
    }
  }
}

/** @throws UserError when a begin-of-text token is wanted that the model does not have */
function encodeSettings({ architecture, checkpoint }: Model, bos: boolean): EncodeSettings {
  const { context, bosTokenId, eosTokenIds } = architecture;
  if (bos && bosTokenId === undefined) {
    throw new UserError(
      `No question can begin with a begin-of-text token`,
      `the config of ${modelName(checkpoint)} names none`,
      'Leave it out.',
    );
  }
  return { maxLength: context, ...(bos && { bos: bosTokenId }), start: bosTokenId ?? eosTokenIds.at(0) };
}

const notFinite = ({ checkpoint }: Model, { item }: ChoiceItem, loglik: number): UserError =>
  new UserError(
    `The answers of ${modelName(checkpoint)} cannot be scored`,
    `the log-likelihood of item ${item} is ${loglik}: some weights are broken, or their products overflow`,
    'Measure the perplexity of a text: the error names the block after which the numbers break.',
  );

async function answerWritten(
  model: Model,
  tokenizer: Tokenizer,
  tasks: readonly Task[],
  isOpen: IsOpen,
  { view }: EvaluateTasksOptions,
  keep: Keep,
  job: JobOptions,
): Promise<void> {
  const open = tasks.flatMap((task) =>
    task.writtenItems.filter(({ item }) => isOpen(task, item)).map((item) => ({ task, item })),
  );
  if (open.length === 0) return;
  const work = new Work(job, open.length, 'items', 'writing answers');
  // Texts that may have the same length are written side by side.
  const lengths = [...new Set(open.map(({ item }) => item.maxTokens))];
  for (const maxNewTokens of lengths) {
    const asked = open.filter(({ item }) => item.maxTokens === maxNewTokens);
    const prompts: number[][] = [];
    for (const { item } of asked) prompts.push(await tokenizer.encode(item.prompt, { addSpecialTokens: true }));
    const answer = async (which: readonly number[], texts: readonly { readonly ids: readonly number[] }[]) => {
      for (const [i, at] of which.entries()) {
        const { task, item } = asked[at];
        const text = await tokenizer.decode(texts[i].ids, { skipSpecialTokens: true, after: prompts[at] });
        const result: WrittenItemResult = { item: item.item, text, correct: isCorrect(item, text, task.file) };
        await keep(task, [result]);
        work.advance(1);
      }
    };
    const writing = { maxNewTokens, greedy: true, view, together: TOGETHER };
    await writePrompts(model, prompts, writing, answer, { signal: job.signal });
  }
}
