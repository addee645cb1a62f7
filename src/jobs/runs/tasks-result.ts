/** The result of the job "tasks" from the answers to all questions, whoever answered which. It computes no model. */
import type { ProbeName } from '../../format/probes';
import {
  type ByProbe,
  type ProbeDifference,
  probeDifference,
  probeScore,
  type ProbeScore,
  worstLoss,
} from '../../engine/evaluate/probes/score';
import { averageOf, taskResult } from '../../engine/evaluate/tasks/accuracy';
import { differencesOf } from '../../engine/evaluate/tasks/differences';
import type { Task } from '../../engine/evaluate/tasks/item';
import { questionTexts } from '../../engine/evaluate/tasks/question-texts';
import type { ItemResult, QuestionText } from '../../engine/evaluate/tasks/results';
import type { ModelTasks, TasksResult } from '../results/tasks';

/** A model before it has answered. */
export type AskedModel = Omit<ModelTasks, 'tasks' | 'average' | 'probes' | 'seconds' | 'device' | 'precision'>;

/** Of a task, what its result says. */
export type AskedTask = Pick<Task, 'name' | 'reported' | 'normalised' | 'probe'>;

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
  const differences = differencesOf(answered).map((each, d) => ({
    ...each,
    ...probeDifferences(answered[0], answered[d + 1]),
  }));
  const { device, precision } = answered[0];
  const differing = tasks.map(({ name, probe }) =>
    differences.flatMap(
      ({ tasks: own, probes }) =>
        (probe ? probes?.[probe.name] : own.find((task) => task.name === name))?.differing ?? [],
    ),
  );
  const questions = questionTexts(differing, textsOf);
  return { models: answered, differences, questions, seconds, device, precision };
}

function probeDifferences(first: ModelTasks, other: ModelTasks) {
  if (!first.probes || !other.probes) return {};
  const found: Partial<Record<ProbeName, ProbeDifference>> = {};
  for (const [name, score] of entries(first.probes)) {
    const own = other.probes[name];
    if (own) found[name] = probeDifference(name, score, own);
  }
  return { probes: found, probeLoss: worstLoss(found) };
}

const entries = <T>(by: ByProbe<T>): [ProbeName, T][] => Object.entries(by) as [ProbeName, T][];

function modelTasks(
  tasks: readonly AskedTask[],
  { asked, results, seconds, device, precision }: ModelAnswers,
): ModelTasks {
  const found = tasks.flatMap((task, t) => (task.probe ? [] : taskResult(task, results[t])));
  const probes: [ProbeName, ProbeScore][] = tasks.flatMap(({ name, probe }, t) =>
    probe ? [[probe.name, probeScore(probe, name, results[t])]] : [],
  );
  return {
    ...asked,
    tasks: found,
    average: averageOf(found),
    ...(probes.length > 0 && { probes: Object.fromEntries(probes) }),
    ...{ seconds, device, precision },
  };
}
