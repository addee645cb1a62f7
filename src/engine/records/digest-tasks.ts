/** The results of tasks, in a record of kind "tasks", for display: accuracies, differences, and items that differ. */
import { readOnTop } from '../../format/on-top';
import { isObject, type JsonObject } from '../../format/json';
import type { TasksDigest } from './digest-types';
import { entries, finite, objects, text, texts } from './fields';
import type { RunInput } from './record';

/** Undefined if the record has no results of tasks. */
export function tasksOf(
  results: JsonObject,
  settings: JsonObject,
  inputs: readonly RunInput[],
): TasksDigest | undefined {
  const models = Array.isArray(results.models) ? objects(results.models) : [results];
  if (models.every(({ tasks }) => objects(tasks).length === 0)) return undefined;
  const hashes = inputs.filter(({ role }) => role === 'task').map(({ sha256 }) => sha256);
  const { from, limit } = settings;
  return {
    itemsKey: JSON.stringify([hashes, from, limit, begunOf(settings)]),
    from: finite(from) ?? 0,
    limit: finite(limit),
    files: inputs.filter(({ role }) => role === 'task').map(({ name }) => name),
    models: models.map(modelOf),
    differences: objects(results.differences).map(differenceOf),
    questions: objects(results.questions).flatMap((question) => questionOf(question, models)),
  };
}

/** Earlier versions had a flag, which left written questions to the tokenizer. */
const begunOf = ({ bos }: JsonObject): unknown => (bos === true ? 'window' : bos === false ? 'none' : bos);

type ModelDigest = TasksDigest['models'][number];

function modelOf(model: JsonObject): ModelDigest {
  const identity = text(model.identity);
  return {
    label: text(model.label) ?? '',
    model: text(model.model) ?? '',
    ...(identity !== undefined && { identity }),
    removed: entries(model.removed),
    ...readOnTop(model),
    average: finite(model.average),
    tasks: objects(model.tasks).map((task) => {
      const isNorm = task.reported === 'accNorm';
      return {
        name: text(task.name) ?? '',
        items: finite(task.items) ?? 0,
        metric: isNorm ? 'accNorm' : 'acc',
        value: finite(isNorm ? task.accNorm : task.acc),
        stderr: finite(isNorm ? task.accNormStderr : task.accStderr),
        acc: finite(task.acc),
        accNorm: finite(task.accNorm),
      };
    }),
  };
}

function differenceOf(difference: JsonObject): TasksDigest['differences'][number] {
  const paired = (value: JsonObject): { difference: number | null; interval: number | null } => ({
    difference: finite(value.difference),
    interval: finite(value.interval),
  });
  return {
    label: text(difference.label) ?? '',
    average: paired(isObject(difference.average) ? difference.average : {}),
    tasks: objects(difference.tasks).map((task) => ({
      name: text(task.name) ?? '',
      ...paired(task),
      lost: finite(task.lost) ?? 0,
      gained: finite(task.gained) ?? 0,
      pValue: finite(task.pValue),
      differing: Array.isArray(task.differing) ? task.differing.length : 0,
    })),
  };
}

/** A question, with the answer of each model in their order. */
function questionOf(question: JsonObject, models: readonly JsonObject[]): TasksDigest['questions'] {
  const [task, item] = [text(question.task), finite(question.item)];
  if (task === undefined || item === null) return [];
  const found = models.map((model) => answerOf(model, task, item));
  return [
    {
      task,
      item,
      context: text(question.context) ?? '',
      choices: texts(question.choices),
      gold: found.find((each) => each?.gold !== undefined)?.gold ?? null,
      answers: found.map((each) => each?.answer ?? null),
    },
  ];
}

interface Answer {
  readonly gold?: number;
  /** Number of the choice, or the written text with whether it is right. */
  readonly answer: number | { readonly text: string; readonly correct: boolean } | null;
}

function answerOf(model: JsonObject, task: string, item: number): Answer | undefined {
  const results = objects(model.tasks).find(({ name }) => name === task);
  const result = objects(results?.results).find((each) => each.item === item);
  if (!results || !result) return undefined;
  const written = text(result.text);
  if (written !== undefined) return { answer: { text: written, correct: result.correct === true } };
  const values = objects(result.choices).map(({ loglik, characters }) => {
    const [sum, length] = [finite(loglik) ?? NaN, finite(characters) ?? NaN];
    return results.reported === 'accNorm' ? sum / length : sum;
  });
  const best = values.indexOf(Math.max(...values));
  return { gold: finite(result.gold) ?? undefined, answer: best < 0 ? null : best };
}
