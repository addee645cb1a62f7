/** Accuracies of models as rows of one kind: every task, their average, and every probe. Pure. */
import type { TasksDigest } from '../../../src/protocol/panel';
import { t } from '../../support/l10n';

/** Names of the paper's tasks and of the probes. Other tasks have the names of their files. */
const TITLES: Readonly<Record<string, string>> = {
  boolq: t('BoolQ'),
  piqa: t('PIQA'),
  hellaswag: t('HellaSwag'),
  winogrande: t('WinoGrande'),
  arc_easy: t('ARC-easy'),
  arc_challenge: t('ARC-challenge'),
  openbookqa: t('OpenBookQA'),
  'probe:copy': t('Copying'),
  'probe:recall': t('Recalling'),
  'probe:brackets': t('Brackets'),
  'probe:sums': t('Sums'),
  'probe:json': t('JSON'),
  'probe:format': t('Following a format'),
  'probe:repeat': t('New text'),
  'probe:end': t('Ending'),
};

export const taskTitle = (name: string): string => TITLES[name] ?? name;

/** A model in a task. */
export interface Accuracy {
  readonly value: number | null;
  readonly stderr: number | null;
  /** To the first model on the same items; undefined for that one. */
  readonly paired?: {
    readonly difference: number | null;
    /** Half of the 95 % interval. */
    readonly interval: number | null;
    /** Of a task, not of the average. */
    readonly items?: { readonly lost: number; readonly gained: number; readonly pValue: number | null };
  };
}

export interface AccuracyRow {
  /** Undefined for the average. */
  readonly task?: string;
  readonly title: string;
  readonly items: number;
  /** Undefined for the average. */
  readonly metric?: 'acc' | 'accNorm';
  /** A probe in which the first model is no better than one that guesses: differences to it say nothing. */
  readonly unable?: true;
  /** In the order of the models. */
  readonly models: readonly Accuracy[];
}

export const accuracyRows = (tasks: TasksDigest): AccuracyRow[] => [...taskRows(tasks), ...probeRows(tasks)];

function probeRows({ models, differences }: TasksDigest): AccuracyRow[] {
  const [first] = models;
  return (first.probes ?? []).map(({ name, items, able }): AccuracyRow => {
    const found = models.map(({ probes }, m): Accuracy => {
      const { score = null, stderr = null } = probes?.find((probe) => probe.name === name) ?? {};
      const paired = m === 0 ? undefined : differences[m - 1]?.probes?.find((probe) => probe.name === name);
      if (!paired || !able) return { value: score, stderr };
      const { difference, interval, lost, gained, pValue } = paired;
      return { value: score, stderr, paired: { difference, interval, items: { lost, gained, pValue } } };
    });
    const task = `probe:${name}`;
    return {
      task,
      title: taskTitle(task),
      items,
      metric: 'acc',
      models: found,
      ...(!able && { unable: true as const }),
    };
  });
}

function taskRows({ models, differences }: TasksDigest): AccuracyRow[] {
  const [first] = models;
  const rows = first.tasks.map(({ name, items, metric }, k): AccuracyRow => {
    const found = models.map(({ tasks }, m): Accuracy => {
      const { value, stderr } = tasks[k];
      const paired = m === 0 ? undefined : differences[m - 1]?.tasks.find((task) => task.name === name);
      if (!paired) return { value, stderr };
      const { difference, interval, lost, gained, pValue } = paired;
      return { value, stderr, paired: { difference, interval, items: { lost, gained, pValue } } };
    });
    return { task: name, title: taskTitle(name), items, metric, models: found };
  });
  if (rows.length < 2) return rows;
  const averages = models.map(({ average }, m): Accuracy => {
    const paired = m === 0 ? undefined : differences[m - 1]?.average;
    return { value: average, stderr: null, ...(paired && { paired }) };
  });
  const items = rows.reduce((sum, row) => sum + row.items, 0);
  return [...rows, { title: t('Average'), items, models: averages }];
}

/**
 * Ends of the interval to draw: of a further model the 95 % interval of its difference, placed at the first model's
 * value, so that it excludes that value where the models differ; of the first one 1.96 standard errors.
 */
export function intervalOf({ value, stderr, paired }: Accuracy): readonly [number, number] | undefined {
  const half = paired ? paired.interval : stderr === null ? null : 1.96 * stderr;
  return value === null || half === null ? undefined : [value - half, value + half];
}
