/** The page of the zero-shot tasks: files, metric, where the data come from, and under which licence. */
import { TASK_NAMES, TASKS } from '../../src/engine/evaluate/tasks/catalogue';
import { SOURCES } from '../../src/engine/evaluate/tasks/sources';
import { formatBytes } from '../../src/format/numbers';
import { code, list, type Page, page, prose, section, table } from './page';

const METRICS = { acc: '`acc`', accNorm: '`accNorm`' } as const;

export const tasksPage = (): Page =>
  page(
    'tasks.md',
    'Tasks',
    'The seven zero-shot tasks that [coppice tasks](cli/tasks.md) reads, as lm-evaluation-harness asks them. The data are not in the ' +
      'repository: [coppice fetch-tasks](cli/fetch-tasks.md) says what it would fetch, and fetches it after a typed yes. Questions of ' +
      'your own are a [tasks file](tasks-file.md).',
    table(
      ['`--tasks`', 'Title', 'Metric', 'Published by', 'License', 'Fetched'],
      TASK_NAMES.map((name) => {
        const { files, from, licence } = SOURCES[name];
        const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
        return [
          code(name),
          TASKS[name].title,
          METRICS[TASKS[name].reported],
          prose(from),
          licence,
          files.length === 0 ? 'by hand' : formatBytes(bytes),
        ];
      }),
    ),
    list([
      '`acc`: the choice that is most likely counts. `accNorm`: the choice that is most likely for its length in bytes counts.',
      'The average is over the metrics of this table.',
    ]),
    section(
      'By hand',
      table(
        ['Task', 'How to get its file'],
        TASK_NAMES.map((name) => [code(name), prose(SOURCES[name].byHand)]),
      ),
    ),
    section(
      'Names of files',
      'In the folder of `--data`, the first of these that is there is read. A name without an ending stands for `.jsonl`, `.json` and ' +
        '`.ndjson`.',
      table(
        ['Task', 'File', 'Or in a folder', 'under the name'],
        TASK_NAMES.map((name) => {
          const { files, folders, inFolder } = TASKS[name];
          return [code(name), files.map(code).join(' '), folders.map(code).join(' '), inFolder.map(code).join(' ')];
        }),
      ),
    ),
    section('See also', list(['[Judge](../guide/judge.md), [tasks files](tasks-file.md).'])),
  );
