/** Accuracies of models in tasks: each model answers all questions, then they are compared item by item. */
import { bundlesOf } from '../../engine/evaluate/tasks/bundles';
import { itemsOf } from '../../engine/evaluate/tasks/item';
import { KeptAnswers } from '../../engine/evaluate/tasks/kept-answers';
import { textsOfItems } from '../../engine/evaluate/tasks/question-texts';
import type { TasksResult } from '../results/tasks';
import type { OptionsFor } from '../kinds';
import { type JobContext, type RunEnd, secondsSince } from '../run';
import { tasksResult } from './tasks-result';
import { type Answered, answerEach, tasksDetails, tasksSubject } from './tasks-subject';

export async function runTasks(options: OptionsFor<'tasks'>, context: JobContext): Promise<RunEnd<TasksResult>> {
  const start = performance.now();
  const subject = await tasksSubject(options, context);
  const { models, tasks } = subject;
  const kept = options.answers === undefined ? undefined : await KeptAnswers.open(options.answers);
  const bundles = bundlesOf(tasks);
  const all = models.map(() => bundles);
  const answered = (await answerEach(subject, all, kept, options, context)) as Answered[]; // each has bundles
  const found = answered.map(({ answers, device, precision, seconds }, m) => ({
    asked: models[m].asked,
    results: tasks.map((task) => itemsOf(task).map((item) => answers.get(task)!.get(item)!)),
    seconds,
    device: device.provider,
    precision,
  }));
  const textsOf = (t: number, items: ReadonlySet<number>) => textsOfItems(tasks[t], items);
  return {
    result: tasksResult(tasks, found, textsOf, secondsSince(start)),
    run: tasksDetails(subject, options, answered[0]),
  };
}
