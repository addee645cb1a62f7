/** Texts of questions on which models differ, for pages that show them without the data. */
import type { QuestionText } from './results';
import type { Task } from './item';

/** Questions of a task at most: a page shows some, and data sets are not copied into records. */
const MOST = 30;
/** Characters of a context at most: its end, which asks. */
const CONTEXT = 600;

/**
 * The first questions of each task that any two models answer differently.
 * @param differing of each task, numbers of the items that any two models answer differently; some may be there twice
 * @param textsOf texts of these items of a task, in any order
 */
export function questionTexts(
  differing: readonly (readonly number[])[],
  textsOf: (task: number, items: ReadonlySet<number>) => readonly QuestionText[],
): QuestionText[] {
  return differing.flatMap((items, t) =>
    [...textsOf(t, new Set(items))].sort((a, b) => a.item - b.item).slice(0, MOST),
  );
}

/** The texts of some items of a task. */
export function textsOfItems(task: Task, items: ReadonlySet<number>): QuestionText[] {
  const choices = task.choiceItems
    .filter(({ item }) => items.has(item))
    .map(({ item, choices: all }) => ({
      task: task.name,
      item,
      context: endOf(commonContext(all.map(({ context }) => context))),
      choices: all.map(({ context, continuation }) =>
        (context.slice(commonContext(all.map((each) => each.context)).length) + continuation).trim(),
      ),
    }));
  const written = task.writtenItems
    .filter(({ item }) => items.has(item))
    .map(({ item, prompt, expected }) => ({ task: task.name, item, context: endOf(prompt), choices: expected }));
  return [...choices, ...written];
}

/** What all contexts begin with. */
function commonContext([first, ...others]: readonly string[]): string {
  let length = first.length;
  while (!others.every((other) => other.startsWith(first.slice(0, length)))) length--;
  return first.slice(0, length);
}

const endOf = (text: string): string => (text.length > CONTEXT ? `…${text.slice(-CONTEXT)}` : text);
