/** Texts of questions on which models differ, for pages that show them without the data. */
import type { Difference, QuestionText } from './results';
import type { Task } from './item';

/** Questions of a task at most: a page shows some, and data sets are not copied into records. */
const MOST = 30;
/** Characters of a context at most: its end, which asks. */
const CONTEXT = 600;

/** The first questions of each task that any two models answer differently. */
export function questionTexts(tasks: readonly Task[], differences: readonly Difference[]): QuestionText[] {
  return tasks.flatMap((task, t) => {
    const differing = new Set(differences.flatMap((each) => each.tasks[t].differing));
    const choices = task.choiceItems
      .filter(({ item }) => differing.has(item))
      .map(({ item, choices: all }) => ({
        task: task.name,
        item,
        context: endOf(commonContext(all.map(({ context }) => context))),
        choices: all.map(({ context, continuation }) =>
          (context.slice(commonContext(all.map((each) => each.context)).length) + continuation).trim(),
        ),
      }));
    const written = task.writtenItems
      .filter(({ item }) => differing.has(item))
      .map(({ item, prompt, expected }) => ({ task: task.name, item, context: endOf(prompt), choices: expected }));
    return [...choices, ...written].sort((a, b) => a.item - b.item).slice(0, MOST);
  });
}

/** What all contexts begin with. */
function commonContext([first, ...others]: readonly string[]): string {
  let length = first.length;
  while (!others.every((other) => other.startsWith(first.slice(0, length)))) length--;
  return first.slice(0, length);
}

const endOf = (text: string): string => (text.length > CONTEXT ? `…${text.slice(-CONTEXT)}` : text);
