/** The result of the job "tasks" from the answers to all questions, whoever answered which. It computes no model. */
import { averageOf, taskResult } from '../../engine/evaluate/tasks/accuracy';
import { differencesOf } from '../../engine/evaluate/tasks/differences';
import type { Task } from '../../engine/evaluate/tasks/item';
import { questionTexts } from '../../engine/evaluate/tasks/question-texts';
import type { Difference, ItemResult, QuestionText } from '../../engine/evaluate/tasks/results';
import type { ModelTasks, TasksResult } from '../results/tasks';

/** A model before it has answered. */
export type AskedModel = Omit<ModelTasks, 'tasks' | 'average' | 'seconds' | 'device' | 'precision'>;

/** Of a task, what its result says. */
export type AskedTask = Pick<Task, 'name' | 'reported' | 'normalised'>;

/** What a model answered. */
export interface ModelAnswers extends Pick<ModelTasks, 'seconds' | 'device' | 'precision'> {
  readonly asked: AskedModel;
  /** For each task the answers to all of its items, in their order. */
  readonly results: readonly (readonly ItemResult[])[];
}

/**
 * @param models in the order in which they were asked
 * @param textsOf texts of some items of a task, of those on which models differ
 */
export function tasksResult(
  tasks: readonly AskedTask[],
  models: readonly ModelAnswers[],
  textsOf: (task: number, items: ReadonlySet<number>) => readonly QuestionText[],
  seconds: number,
): TasksResult {
  const answered = models.map((each) => modelTasks(tasks, each));
  if (answered.length === 1) return answered[0];
  const differences: Difference[] = differencesOf(answered);
  const { device, precision } = answered[0];
  const questions = questionTexts(tasks.length, differences, textsOf);
  return { models: answered, differences, questions, seconds, device, precision };
}

function modelTasks(
  tasks: readonly AskedTask[],
  { asked, results, seconds, device, precision }: ModelAnswers,
): ModelTasks {
  const found = tasks.map((task, t) => taskResult(task, results[t]));
  return { ...asked, tasks: found, average: averageOf(found), seconds, device, precision };
}
