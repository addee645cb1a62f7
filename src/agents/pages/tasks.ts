/** Accuracies for an agent. */
import { arithmeticWords } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { GUESSES, PROBE_NAMES, UNABLE } from '../../format/probes';
import type { PairedDifference, TaskResult } from '../../engine/evaluate/tasks/results';
import type { ModelTasks, TasksComparison } from '../../jobs/results/tasks';
import { inLine, type Piece } from '../answer';
import type { ResultPage } from '.';

export const tasksPage: ResultPage<'tasks'> = ({ result }) => {
  const models = 'models' in result ? result.models : [result];
  const differences = 'models' in result ? result.differences : [];
  return [
    `accuracy ± one standard error; ${arithmeticWords(result.precision, result.device)}, ${formatSeconds(result.seconds)}`,
    ...accuracies(models),
    ...probes(models),
    ...differences.flatMap((difference) => differencePart(difference, models[0])),
  ];
};

function accuracies(models: readonly ModelTasks[]): Piece[] {
  if (models[0].tasks.length === 0) return [];
  const names = ['task', '>items', ...models.map(({ label }) => `>${inLine(label)}`)];
  const rows = models[0].tasks.map((task, t) => [
    inLine(task.name),
    String(task.items),
    ...models.map(({ tasks }) => accuracy(tasks[t])),
  ]);
  return [
    {
      names,
      rows: [...rows, ['average', '', ...models.map(({ average }) => (average === null ? '' : percent(average)))]],
      importance: averageFirst(rows.length),
    },
  ];
}

function probes(models: readonly ModelTasks[]): Piece[] {
  const [first] = models;
  if (!first.probes) return [];
  const rows = PROBE_NAMES.flatMap((name) => {
    const own = first.probes?.[name];
    if (!own) return [];
    const scores = models.map(({ probes: each }) => accuracy(asTask(each?.[name] ?? own)));
    return [[name, String(own.items), ...scores, own.able ? '' : models.length > 1 ? UNABLE : GUESSES]];
  });
  return [{ names: ['probe', '>items', ...models.map(({ label }) => `>${inLine(label)}`), ''], rows }];
}

const asTask = ({ score, stderr }: { readonly score: number; readonly stderr: number | null }) =>
  ({ reported: 'acc', acc: score, accStderr: stderr }) as const;

/** The last row is the average. */
const averageFirst = (rows: number): number[] => [rows, ...Array.from({ length: rows }, (_, row) => row)];

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

type Accuracy = Pick<TaskResult, 'reported' | 'acc' | 'accStderr' | 'accNorm' | 'accNormStderr'>;

function accuracy({ reported, acc, accStderr, accNorm, accNormStderr }: Accuracy): string {
  const [value, error] = reported === 'acc' ? [acc, accStderr] : [accNorm ?? acc, accNormStderr ?? null];
  return `${percent(value)}${error === null ? '' : ` ± ${(100 * error).toFixed(1)}`}`;
}

type Difference = TasksComparison['differences'][number];

function differencePart({ label, tasks, average, probes: found = {} }: Difference, first: ModelTasks): Piece[] {
  const rows = tasks.map((task) => [inLine(task.name), points(task), String(task.lost), String(task.gained)]);
  const lost = PROBE_NAMES.flatMap((name) => {
    const own = found[name];
    if (!own) return [];
    return [[name, own.able ? points(own) : UNABLE, String(own.lost), String(own.gained)]];
  });
  return [
    `${inLine(label)} minus ${inLine(first.label)}, in points with 95 % intervals of the paired difference:`,
    ...(average === null
      ? []
      : [
          {
            names: ['task', '>difference', '>items lost', '>items gained'],
            rows: [...rows, ['average', points(average), '', '']],
            importance: averageFirst(rows.length),
          },
        ]),
    ...(lost.length > 0 ? [{ names: ['probe', '>difference', '>items lost', '>items gained'], rows: lost }] : []),
  ];
}

const points = ({ difference, interval }: PairedDifference): string =>
  `${difference < 0 ? '−' : '+'}${Math.abs(100 * difference).toFixed(1)}${interval === null ? '' : ` ± ${(100 * interval).toFixed(1)}`}`;
