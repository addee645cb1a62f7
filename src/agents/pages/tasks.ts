/** Accuracies for an agent. */
import { arithmeticWords } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import type { Difference, PairedDifference, TaskResult } from '../../engine/evaluate/tasks/results';
import type { ModelTasks } from '../../jobs/results/tasks';
import { inLine, type Piece } from '../answer';
import type { ResultPage } from '.';

export const tasksPage: ResultPage<'tasks'> = ({ result }) => {
  const models = 'models' in result ? result.models : [result];
  const differences = 'models' in result ? result.differences : [];
  return [
    `accuracy ± one standard error; ${arithmeticWords(result.precision, result.device)}, ${formatSeconds(result.seconds)}`,
    accuracies(models),
    ...differences.flatMap((difference) => differencePart(difference, models[0])),
  ];
};

function accuracies(models: readonly ModelTasks[]): Piece {
  const names = ['task', '>items', ...models.map(({ label }) => `>${inLine(label)}`)];
  const rows = models[0].tasks.map((task, t) => [
    inLine(task.name),
    String(task.items),
    ...models.map(({ tasks }) => accuracy(tasks[t])),
  ]);
  return {
    names,
    rows: [...rows, ['average', '', ...models.map(({ average }) => percent(average))]],
    importance: averageFirst(rows.length),
  };
}

/** The last row is the average. */
const averageFirst = (rows: number): number[] => [rows, ...Array.from({ length: rows }, (_, row) => row)];

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function accuracy({ reported, acc, accStderr, accNorm, accNormStderr }: TaskResult): string {
  const [value, error] = reported === 'acc' ? [acc, accStderr] : [accNorm ?? acc, accNormStderr ?? null];
  return `${percent(value)}${error === null ? '' : ` ± ${(100 * error).toFixed(1)}`}`;
}

function differencePart({ label, tasks, average }: Difference, first: ModelTasks): Piece[] {
  const rows = tasks.map((task) => [inLine(task.name), points(task), String(task.lost), String(task.gained)]);
  return [
    `${inLine(label)} minus ${inLine(first.label)}, in points with 95 % intervals of the paired difference:`,
    {
      names: ['task', '>difference', '>items lost', '>items gained'],
      rows: [...rows, ['average', points(average), '', '']],
      importance: averageFirst(rows.length),
    },
  ];
}

const points = ({ difference, interval }: PairedDifference): string =>
  `${difference < 0 ? '−' : '+'}${Math.abs(100 * difference).toFixed(1)}${interval === null ? '' : ` ± ${(100 * interval).toFixed(1)}`}`;
