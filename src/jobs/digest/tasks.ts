/** The results of tasks, in a record of kind "tasks", for display: accuracies, differences, and items that differ. */
import type { TasksDigest } from '../../engine/records/digest-types';
import { finite } from '../../engine/records/fields';
import type { RunInput } from '../../engine/records/record';
import { defined } from '../../format/defined';
import type { JsonObject } from '../../format/json';
import { onTop } from '../../format/on-top';
import { type Read, readResult } from '../read-result';
import type { ModelTasks, TasksComparison } from '../results/tasks';

type Model = Read<ModelTasks>;

/** Undefined if the record has no results of tasks. */
export function tasksOf(
  results: JsonObject,
  settings: JsonObject,
  inputs: readonly RunInput[],
): TasksDigest | undefined {
  const { models: several, differences = [], questions = [], ...one } = readResult('tasks', results);
  const models: readonly Model[] = several ?? [one];
  if (models.every(({ tasks = [] }) => tasks.length === 0)) return undefined;
  const files = inputs.filter(({ role }) => role === 'task');
  const { from, limit } = settings;
  return {
    itemsKey: JSON.stringify([files.map(({ sha256 }) => sha256), from, limit, begunOf(settings)]),
    from: finite(from) ?? 0,
    limit: finite(limit),
    files: files.map(({ name }) => name),
    models: models.map(modelOf),
    differences: differences.map(differenceOf),
    questions: questions.flatMap((question) => questionOf(question, models)),
  };
}

/** Earlier versions had a flag, which left written questions to the tokenizer. */
const begunOf = ({ bos }: JsonObject): unknown => (bos === true ? 'window' : bos === false ? 'none' : bos);

function modelOf(read: Model): TasksDigest['models'][number] {
  const { label = '', model = '', identity, removed = [], average = null, tasks = [] } = read;
  return defined({ label, model, identity, removed, ...onTop(read), average, tasks: tasks.map(taskOf) });
}

function taskOf(task: Read<ModelTasks['tasks'][number]>): TasksDigest['models'][number]['tasks'][number] {
  const { name = '', items = 0, acc = null, accNorm = null, accStderr = null, accNormStderr = null } = task;
  const isNorm = task.reported === 'accNorm';
  const [value, stderr] = isNorm ? [accNorm, accNormStderr] : [acc, accStderr];
  return { name, items, metric: isNorm ? 'accNorm' : 'acc', value, stderr, acc, accNorm };
}

type Difference = Read<TasksComparison['differences'][number]>;

function differenceOf({ label = '', average = {}, tasks = [] }: Difference): TasksDigest['differences'][number] {
  const paired = (of: NonNullable<Difference['average']>) => ({
    difference: of.difference ?? null,
    interval: of.interval ?? null,
  });
  return {
    label,
    average: paired(average),
    tasks: tasks.map(({ name = '', lost = 0, gained = 0, pValue = null, differing = [], ...task }) => {
      return { name, ...paired(task), lost, gained, pValue, differing: differing.length };
    }),
  };
}

/** A question, with the answer of each model in their order. */
function questionOf(
  { task, item, context = '', choices = [] }: Read<TasksComparison['questions'][number]>,
  models: readonly Model[],
): TasksDigest['questions'] {
  if (task === undefined || item === undefined) return [];
  const found = models.map((model) => answerOf(model, task, item));
  const gold = found.find((each) => each?.gold !== undefined)?.gold ?? null;
  return [{ task, item, context, choices, gold, answers: found.map((each) => each?.answer ?? null) }];
}

interface Answer {
  readonly gold?: number;
  /** Number of the choice, or the written text with whether it is right. */
  readonly answer: number | { readonly text: string; readonly correct: boolean } | null;
}

function answerOf({ tasks = [] }: Model, task: string, item: number): Answer | undefined {
  const results = tasks.find(({ name }) => name === task);
  const result = results?.results?.find((each) => each.item === item);
  if (!results || !result) return undefined;
  const { text, correct = false, choices = [], gold } = result;
  if (text !== undefined) return { answer: { text, correct } };
  const values = choices.map(({ loglik = NaN, characters = NaN }) =>
    results.reported === 'accNorm' ? loglik / characters : loglik,
  );
  const best = values.indexOf(Math.max(...values));
  return { gold, answer: best < 0 ? null : best };
}
