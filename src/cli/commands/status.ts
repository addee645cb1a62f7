/** `coppice status`: how far a run on a cluster is. Submits again what failed, where asked to. */
import type { Command } from 'commander';
import type { StatusOptions } from '../actions/status';
import { execute, type Exit } from '../execute';
import { addOutputOptions } from '../options';

const action = () => import('../actions/status');

export function addStatus(program: Command, exit: Exit): void {
  const command = program
    .command('status')
    .summary('say how far a run on a cluster is')
    .description(
      'Says which parts of a run are done, running, waiting and failed, and why these failed. It asks the scheduler where that ' +
        'can be asked, and otherwise reads only the folder. Parts that were run in another way (--part) are shown too.',
    )
    .argument('<dir>', 'folder of the run')
    .option(
      '--resubmit',
      'submit the parts that failed again, and a new gather after them; nothing that runs or is done',
    )
    .option('--yes', 'with --resubmit: also what somebody else may have put into the folder, which is shown first')
    .option('--wait', 'stay until the run has its record, or nothing of it runs any more');
  addOutputOptions(command)
    .addHelpText(
      'after',
      `
Exit codes: 0 complete or on its way, 1 parts failed, 2 wrong usage, 130 cancelled with Ctrl-C (the run goes on).

Examples:
  coppice status ./scores
  coppice status ./scores --resubmit --wait
  coppice status ./scores --json`,
    )
    .action(async (folder: string, options: StatusOptions) => {
      exit(
        await execute({ kind: 'status', options }, async (shell) => (await action()).status(folder, options, shell)),
      );
    });
}
