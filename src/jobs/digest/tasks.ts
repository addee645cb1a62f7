/** The results of tasks, in a record of kind "tasks", for display: accuracies, differences, and items that differ. */
import { isProbeName, PROBE_NAMES } from '../../format/probes';
import type { ProbeDigest, TasksDigest } from '../../engine/records/digest-types';
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
  if (models.every(({ tasks = [], probes = {} }) => tasks.length === 0 && Object.keys(probes).length === 0))
    return undefined;
  const files = inputs.filter(({ role }) => role === 'task');
  const { from, limit } = settings;
  return {
    itemsKey: JSON.stringify([files.map(({ sha256 }) => sha256), from, limit, begunOf(settings)]),
    from: finite(from) ?? 0,
    limit: finite(limit),
    files: files.map(({ name }) => name),
    models: models.map((each) => modelOf(each, begunOf(settings))),
    differences: differences.map(differenceOf),
    questions: questions.flatMap((question) => questionOf(question, models)),
  };
}

/** Earlier versions had a flag, which left written questions to the tokenizer. */
const begunOf = ({ bos }: JsonObject): unknown => (bos === true ? 'window' : bos === false ? 'none' : bos);

/** @param begun how the questions begin */
function modelOf(read: Model, begun: unknown): TasksDigest['models'][number] {
  const { label = '', model = '', identity, removed = [], average = null, tasks = [] } = read;
  const probes = read.probes && probesOf(read.probes, begun);
  return defined({ label, model, identity, removed, ...onTop(read), average, tasks: tasks.map(taskOf), probes });
}

/** In the order of pages. Probes of another version are not there. */
const probesOf = (found: NonNullable<Model['probes']>, begun: unknown): ProbeDigest[] =>
  PROBE_NAMES.flatMap((name) => {
    const { items = 0, score = null, stderr = null, able = false, sha256 } = found[name] ?? {};
    return sha256 === undefined
      ? []
      : [{ name, items, score, stderr, able, key: JSON.stringify([sha256, items, begun]) }];
  });

function taskOf(task: Read<ModelTasks['tasks'][number]>): TasksDigest['models'][number]['tasks'][number] {
  const { name = '', items = 0, acc = null, accNorm = null, accStderr = null, accNormStderr = null } = task;
  const isNorm = task.reported === 'accNorm';
  const [value, stderr] = isNorm ? [accNorm, accNormStderr] : [acc, accStderr];
  return { name, items, metric: isNorm ? 'accNorm' : 'acc', value, stderr, acc, accNorm };
}

type Difference = Read<TasksComparison['differences'][number]>;
interface Paired {
  readonly difference?: number | null;
  readonly interval?: number | null;
}
type Items = Paired & {
  readonly lost?: number;
  readonly gained?: number;
  readonly pValue?: number | null;
  readonly differing?: readonly number[];
};

const paired = ({ difference = null, interval = null }: Paired) => ({ difference, interval });

const itemsOf = ({ lost = 0, gained = 0, pValue = null, differing = [], ...of }: Items) => ({
  ...paired(of),
  ...{ lost, gained, pValue, differing: differing.length },
});

function differenceOf({ label = '', average, tasks = [], probes }: Difference): TasksDigest['differences'][number] {
  return {
    label,
    average: paired(average ?? {}),
    tasks: tasks.map(({ name = '', ...task }) => ({ name, ...itemsOf(task) })),
    ...(probes && {
      probes: PROBE_NAMES.flatMap((name) => {
        const own = probes[name];
        return own ? [{ name, ...itemsOf(own) }] : [];
      }),
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

function answerOf({ tasks = [], probes = {} }: Model, task: string, item: number): Answer | undefined {
  const probe = task.replace(/^probe:/, '');
  const own = task !== probe && isProbeName(probe) ? probes[probe] : undefined;
  const results = own ? { reported: 'acc', results: own.results } : tasks.find(({ name }) => name === task);
  const result = results?.results?.find((each) => each.item === item);
  if (!results || !result) return undefined;
  const { text, correct = false, choices = [], gold } = result;
  if (text !== undefined) return { answer: { text, correct } };
  if (choices.length === 1) return { gold, answer: choices[0].greedy === true ? 0 : null };
  const values = choices.map(({ loglik = NaN, characters = NaN }) =>
    results.reported === 'accNorm' ? loglik / characters : loglik,
  );
  const best = values.indexOf(Math.max(...values));
  return { gold, answer: best < 0 ? null : best };
}
