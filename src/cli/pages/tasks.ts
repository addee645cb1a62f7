/** What `coppice tasks` prints: accuracies with standard errors, and paired differences to the first model. */
import { arithmeticWords } from '../../format/arithmetic';
import { formatSeconds } from '../../format/durations';
import { counted } from '../../format/words';
import type { ModelTasks, TasksComparison } from '../../jobs/results/tasks';
import type { TaskDifference, TaskResult } from '../../engine/evaluate/tasks/results';
import { table } from '../terminal/text';
import type { Page } from './page';
import { probeDifferences, probeScores } from './probes';
import { percent, points, pValue, share } from './shares';

export const tasksPage: Page<'tasks'> = (_, { shown }) => ({
  page: (result) => {
    const models = 'models' in result ? result.models : [result];
    const differences = 'models' in result ? result.differences : [];
    return [
      ...between(accuracies(models, shown), probeScores(models, shown)),
      ...differences.flatMap((difference) => [
        '',
        `${shown(difference.label)} against ${shown(models[0].label)}, in points with 95 % intervals of the paired difference:`,
        ...between(taskDifferences(difference), probeDifferences(difference)),
      ]),
      '',
      `${counted(itemsOf(models[0]), 'item')} in ${formatSeconds(result.seconds)}, ${arithmeticWords(result.precision, result.device)}; ± is one standard error.`,
    ];
  },
});

/** Both, with an empty line between them. */
const between = (before: readonly string[], after: readonly string[]): string[] => [
  ...before,
  ...(before.length > 0 && after.length > 0 ? [''] : []),
  ...after,
];

const itemsOf = ({ tasks, probes = {} }: ModelTasks): number =>
  [...tasks, ...Object.values(probes)].reduce((sum, { items }) => sum + items, 0);

/** A line for each task, a column for each model. */
function accuracies(models: readonly ModelTasks[], shown: (text: string) => string): string[] {
  if (models[0].tasks.length === 0) return [];
  return table(
    ['task', '>items', 'metric', ...models.map(({ label }) => `>${shown(label)}`)],
    [
      ...models[0].tasks.map((task, t) => [
        shown(task.name),
        String(task.items),
        task.reported === 'acc' ? 'acc' : 'acc_norm',
        ...models.map(({ tasks }) => accuracy(tasks[t])),
      ]),
      ['average', '', '', ...models.map(({ average }) => (average === null ? '' : `${percent(average)}      `))],
    ],
  );
}

const accuracy = ({ reported, acc, accStderr, accNorm, accNormStderr }: TaskResult): string =>
  reported === 'acc' ? share(acc, accStderr) : share(accNorm ?? acc, accNormStderr);

function taskDifferences({ tasks, average }: TasksComparison['differences'][number]): string[] {
  if (average === null) return [];
  return table(
    ['task', '>difference', '>lost', '>gained', '>p (McNemar)'],
    [...tasks.map((task) => differenceRow(task)), ['average', points(average), '', '', '']],
  );
}

const differenceRow = (task: TaskDifference): string[] => [
  task.name,
  points(task),
  String(task.lost),
  String(task.gained),
  pValue(task.pValue),
];
