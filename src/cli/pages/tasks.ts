/** What `coppice tasks` prints: accuracies with standard errors, and paired differences to the first model. */
import { arithmeticWords } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { counted } from '../../format/words';
import type { ModelTasks } from '../../jobs/results/tasks';
import type { PairedDifference, TaskDifference, TaskResult } from '../../engine/evaluate/tasks/results';
import { table } from '../terminal/text';
import type { Page } from './page';

export const tasksPage: Page<'tasks'> = (_, { shown }) => ({
  page: (result) => {
    const models = 'models' in result ? result.models : [result];
    const differences = 'models' in result ? result.differences : [];
    return [
      ...accuracies(models, shown),
      ...differences.flatMap((difference) => [
        '',
        `${shown(difference.label)} against ${shown(models[0].label)}, in points with 95 % intervals of the paired difference:`,
        ...table(
          ['task', '>difference', '>lost', '>gained', '>p (McNemar)'],
          [...difference.tasks.map((task) => differenceRow(task)), ['average', points(difference.average), '', '', '']],
        ),
      ]),
      '',
      `${counted(itemsOf(models[0]), 'item')} in ${formatSeconds(result.seconds)}, ${arithmeticWords(result.precision, result.device)}; ± is one standard error.`,
    ];
  },
});

const itemsOf = ({ tasks }: ModelTasks): number => tasks.reduce((sum, { items }) => sum + items, 0);

/** A line for each task, a column for each model. */
function accuracies(models: readonly ModelTasks[], shown: (text: string) => string): string[] {
  return table(
    ['task', '>items', 'metric', ...models.map(({ label }) => `>${shown(label)}`)],
    [
      ...models[0].tasks.map((task, t) => [
        shown(task.name),
        String(task.items),
        task.reported === 'acc' ? 'acc' : 'acc_norm',
        ...models.map(({ tasks }) => accuracy(tasks[t])),
      ]),
      ['average', '', '', ...models.map(({ average }) => `${percent(average)}      `)],
    ],
  );
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function accuracy({ reported, acc, accStderr, accNorm, accNormStderr }: TaskResult): string {
  const [value, stderr] = reported === 'acc' ? [acc, accStderr] : [accNorm ?? acc, accNormStderr ?? null];
  return `${percent(value)} ${stderr === null ? '     ' : `± ${(100 * stderr).toFixed(1)}`.padEnd(5)}`;
}

const signed = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(100 * value).toFixed(1)}`;

const points = ({ difference, interval }: PairedDifference): string =>
  `${signed(difference)}${interval === null ? '' : ` ± ${(100 * interval).toFixed(1)}`}`;

const differenceRow = (task: TaskDifference): string[] => [
  task.name,
  points(task),
  String(task.lost),
  String(task.gained),
  task.pValue < 0.001 ? '< 0.001' : task.pValue.toFixed(3),
];
