/** Tasks in parts: each answers some bundles of questions, of one model after another. */
import { isProbeName } from '../../format/probes';
import { type Bundle, bundleCost, bundlesOf } from '../../engine/evaluate/tasks/bundles';
import { itemsOf } from '../../engine/evaluate/tasks/item';
import { answersOfPart, isResult, KeptAnswers } from '../../engine/evaluate/tasks/kept-answers';
import { textsOfItems } from '../../engine/evaluate/tasks/question-texts';
import type { ItemResult, QuestionText } from '../../engine/evaluate/tasks/results';
import { requireArchitecture } from '../../engine/checkpoint/open';
import type { Part } from '../../engine/parts/part';
import { rangeOf } from '../../engine/parts/ranges';
import { type Range, size } from '../../engine/parts/split';
import { TableFault } from '../../engine/parts/table';
import { isObject } from '../../format/json';
import { slicesOf } from '../../format/ranges';
import { counted } from '../../format/words';
import { type AskedModel, type AskedTask, tasksResult } from '../runs/tasks-result';
import { type Answered, answerEach, tasksDetails, type TasksSubject, tasksSubject } from '../runs/tasks-subject';
import type { CutJob } from './cut';
import { tasksFault } from './faults';

/** What the answers are to, and what the result says besides. */
interface Frame {
  readonly models: readonly AskedModel[];
  readonly tasks: readonly (AskedTask & { readonly items: readonly Range[] })[];
}

/** Answers of a model to items of a task, both by their places in the frame. */
interface PartAnswers {
  readonly model: number;
  readonly task: number;
  readonly results: readonly ItemResult[];
}

/**
 * What a part found. Texts are those of the questions that it asked the first model, where there are several: gathering
 * shows those on which models differ, and has nothing but the parts.
 */
interface Data {
  readonly answers: readonly PartAnswers[];
  readonly texts: readonly (QuestionText & { readonly place: number })[];
}

export const cutTasks: CutJob<'tasks'> = {
  fault: tasksFault,
  measure: async (options, context, part) => {
    const subject = await tasksSubject(options, context);
    const { models, tasks } = subject;
    const own = bundlesOfPart(subject, part);
    const { answers: file } = options;
    const kept = file === undefined ? undefined : await KeptAnswers.open(answersOfPart(file, part), [file]);
    const answered = await answerEach(subject, own, kept, options, context);
    const first = answered.find((each): each is Answered => each !== undefined)!; // a part has a bundle
    const frame: Frame = {
      models: models.map(({ asked }) => asked),
      tasks: tasks.map((task) => {
        const { name, reported, normalised, probe } = task;
        return {
          name,
          reported,
          normalised,
          ...(probe && { probe }),
          items: slicesOf(itemsOf(task)).map(([from, to]) => ({ from, to })),
        };
      }),
    };
    const answers = answersOf(subject, answered);
    return {
      work: counted(
        answers.reduce((sum, { results }) => sum + results.length, 0),
        'answer',
      ),
      frame,
      data: {
        answers,
        texts: models.length > 1 ? textsOf(subject, own[0]) : [],
      } satisfies Data,
      ...(models.length > 1 && { times: answered.map((each) => each?.seconds ?? 0) }),
      path: models[0].opened.checkpoint.path,
      run: tasksDetails(subject, options, first),
    };
  },
  finish: ({ frame: given, data, seconds, times, device, precision }) => {
    const { models, tasks } = frameIn(given);
    const parts = data.map(dataIn);
    const found = resultsByPlace(parts.flatMap(({ answers }) => answers));
    if (device === undefined || precision === undefined || precision === 'mixed') throw new TableFault('no device');
    const answered = models.map((asked, m) => ({
      asked,
      results: tasks.map(({ name, items }, t) => completeResults(found.get(`${m} ${t}`), items, name)),
      seconds: models.length > 1 ? times.reduce((sum, each) => sum + (each.at(m) ?? 0), 0) : seconds,
      device: device.provider,
      precision,
    }));
    const texts = parts.flatMap((each) => each.texts);
    const ofItems = (t: number, items: ReadonlySet<number>): QuestionText[] =>
      texts.flatMap(({ place, ...text }) => (place === t && items.has(text.item) ? text : []));
    return { result: tasksResult(tasks, answered, ofItems, seconds), warnings: [] };
  },
};

/** The bundles that the part asks each model: neighbours in the order of models, so that a part opens few of them. */
function bundlesOfPart({ models, tasks }: TasksSubject, part: Part): Bundle[][] {
  const bundles = bundlesOf(tasks);
  const costs = models.flatMap(({ opened: { checkpoint, view } }) => {
    const architecture = requireArchitecture(checkpoint);
    return bundles.map((bundle) => bundleCost(bundle, architecture, view));
  });
  const { from, to } = rangeOf(costs, part, 'bundle');
  return models.map((_, m) => bundles.filter((__, b) => m * bundles.length + b >= from && m * bundles.length + b < to));
}

function answersOf({ tasks }: TasksSubject, answered: readonly (Answered | undefined)[]): PartAnswers[] {
  return answered.flatMap((each, model) =>
    tasks.flatMap((task, t): PartAnswers[] => {
      const found = each?.answers.get(task);
      if (!found) return [];
      return [{ model, task: t, results: [...found.values()].sort((a, b) => a.item - b.item) }];
    }),
  );
}

const textsOf = ({ tasks }: TasksSubject, bundles: readonly Bundle[]): Data['texts'] =>
  tasks.flatMap((task, place) => {
    const own = bundles.filter((bundle) => bundle.task === task);
    const items = new Set(own.flatMap((bundle) => bundle.items.map(({ item }) => item)));
    return textsOfItems(task, items).map((text) => ({ place, ...text }));
  });

/** @throws TableFault for a value that no part wrote */
function frameIn(value: unknown): Frame {
  const isText = (each: unknown): boolean => typeof each === 'string';
  const isNumber = (each: unknown): boolean => Number.isSafeInteger(each);
  const isModel = (each: unknown): boolean =>
    isObject(each) && [each.label, each.model, each.identity].every(isText) && Array.isArray(each.removed);
  const isRange = (each: unknown): boolean => isObject(each) && isNumber(each.from) && isNumber(each.to);
  const isTask = (each: unknown): boolean =>
    isObject(each) &&
    isText(each.name) &&
    (each.reported === 'acc' || each.reported === 'accNorm') &&
    typeof each.normalised === 'boolean' &&
    (each.probe === undefined || isProbe(each.probe)) &&
    isListOf(each.items, isRange);
  const isFrame = isObject(value) && isListOf(value.models, isModel) && isListOf(value.tasks, isTask);
  if (!isFrame) throw new TableFault('the frame names no models and tasks');
  return value as unknown as Frame;
}

const isProbe = (value: unknown): boolean =>
  isObject(value) &&
  typeof value.name === 'string' &&
  isProbeName(value.name) &&
  typeof value.chance === 'number' &&
  typeof value.sha256 === 'string';

const isListOf = (value: unknown, isOne: (each: unknown) => boolean): value is unknown[] =>
  Array.isArray(value) && value.length > 0 && value.every(isOne);

/** @throws TableFault for a value that no part wrote */
function dataIn(value: unknown, p: number): Data {
  const isPlace = (place: unknown): boolean => typeof place === 'number';
  const isAnswers = (each: unknown): boolean =>
    isObject(each) &&
    isPlace(each.model) &&
    isPlace(each.task) &&
    Array.isArray(each.results) &&
    each.results.every(isResult);
  const isText = (each: unknown): boolean =>
    isObject(each) &&
    isPlace(each.place) &&
    isPlace(each.item) &&
    [each.task, each.context].every((text) => typeof text === 'string') &&
    Array.isArray(each.choices) &&
    each.choices.every((text) => typeof text === 'string');
  const isData =
    isObject(value) &&
    Array.isArray(value.answers) &&
    value.answers.every(isAnswers) &&
    Array.isArray(value.texts) &&
    value.texts.every(isText);
  if (!isData) throw new TableFault(`data ${p + 1} has no answers`);
  return value as unknown as Data;
}

/** By the places of model and task. @throws TableFault for a question that was answered twice */
function resultsByPlace(answers: readonly PartAnswers[]): ReadonlyMap<string, ReadonlyMap<number, ItemResult>> {
  const found = new Map<string, Map<number, ItemResult>>();
  for (const { model, task, results } of answers) {
    const key = `${model} ${task}`;
    const own = found.get(key) ?? new Map<number, ItemResult>();
    found.set(key, own);
    for (const result of results) {
      if (own.has(result.item)) throw new TableFault(`item ${result.item} is there twice`);
      own.set(result.item, result);
    }
  }
  return found;
}

/** In the order of the items. @throws TableFault where one is missing */
function completeResults(
  found: ReadonlyMap<number, ItemResult> | undefined,
  items: readonly Range[],
  name: string,
): ItemResult[] {
  const results = [...(found?.values() ?? [])].sort((a, b) => a.item - b.item);
  const wanted = items.reduce((sum, range) => sum + size(range), 0);
  const isOwn = ({ item }: ItemResult): boolean => items.some(({ from, to }) => item >= from && item < to);
  if (results.length === wanted && results.every(isOwn)) return results;
  throw new TableFault(`answers to ${wanted} items of ${name} are wanted, and there are ${results.length}`);
}
