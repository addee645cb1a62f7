/**
 * `coppice fetch-tasks`: gets the files of the zero-shot tasks. It first says what it would fetch, and fetches only what
 * the user agrees to.
 */
import type { Command } from 'commander';
import { TASK_NAMES } from '../../engine/evaluate/tasks/catalogue';
import { choice, flag, list } from '../../jobs/option';
import { acceptedCompute } from '../../jobs/options/compute';
import type { FetchOptions } from '../actions/fetch-tasks';
import { execute, type Exit } from '../execute';
import { addCommonOptions, addOptions } from '../options';

const options = {
  tasks: list(choice(TASK_NAMES, 'task'), `tasks to get (default: all): ${TASK_NAMES.join(', ')}`),
  yes: flag('fetch without asking'),
};

const action = () => import('../actions/fetch-tasks');

export function addFetchTasks(program: Command, exit: Exit): void {
  const command = program
    .command('fetch-tasks')
    .summary('get the data of the zero-shot tasks')
    .description(
      'Says which files of the seven data sets it would fetch, from where, under which license and how large. It ' +
        'fetches them after a typed yes, or with --yes, and checks their SHA-256. For the other data sets it says how ' +
        'to get them by hand. No other command downloads anything; submit and status ask the cluster that you name.',
    )
    .argument('<dir>', 'folder for the files; it is made if it does not exist');
  addOptions(addCommonOptions(addOptions(command, options)), acceptedCompute)
    .addHelpText(
      'after',
      `
Examples:
  coppice fetch-tasks ./tasks
  coppice fetch-tasks ./tasks --tasks piqa,hellaswag --yes`,
    )
    .action(async (folder: string, given: FetchOptions) => {
      exit(
        await execute({ kind: 'fetch-tasks', options: given }, async (shell) =>
          (await action()).fetchTasks(folder, given, shell),
        ),
      );
    });
}
