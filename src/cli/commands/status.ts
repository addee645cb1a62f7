/** `coppice status`: how far a run on a cluster is. */
import type { Command } from 'commander';
import { type ClusterStatus, statusOf } from '../../cluster/status';
import { execute, type Exit, type Outcome } from '../execute';
import { addOutputOptions, type CommonOptions } from '../options';
import { facts } from '../terminal/text';

export function addStatus(program: Command, exit: Exit): void {
  const command = program
    .command('status')
    .summary('say how far a run on a cluster is')
    .description('Says which parts of a run are done, running, waiting and failed.')
    .argument('<dir>', 'folder of the run');
  addOutputOptions(command).action(async (folder: string, options: CommonOptions) => {
    exit(await execute({ kind: 'status', options }, async () => outcome(await statusOf(folder))));
  });
}

const outcome = (status: ClusterStatus): Outcome => ({
  json: status,
  page: facts([['done', String(status.counts.done)]]),
  failed: status.counts.failed > 0,
});
