/** `coppice gather`: the record of a run from the records of its parts. */
import type { Command } from 'commander';
import { acceptedCompute } from '../../jobs/options/compute';
import type { GatherOptions } from '../actions/gather';
import { execute, type Exit } from '../execute';
import { addCommonOptions, addOptions } from '../options';

const action = () => import('../actions/gather');

export function addGather(program: Command, exit: Exit): void {
  const command = program
    .command('gather')
    .summary('make one record from the parts of a run')
    .description(
      'Joins the partial records of a job that ran in parts (--part) into the record that one process would have written: ' +
        'the same numbers to the last bit, in whatever order the parts ran. Says which parts are missing.',
    )
    .argument('<part...>', 'partial records, or folders of them')
    .requiredOption('--out <file>', 'file for the record');
  addOptions(addCommonOptions(command), acceptedCompute)
    .addHelpText(
      'after',
      `
Examples:
  coppice score ./SmolLM2-135M --calibration prose.txt --part 1/2 --record part-1.json
  coppice score ./SmolLM2-135M --calibration prose.txt --part 2/2 --record part-2.json
  coppice gather part-1.json part-2.json --out scores.json
  coppice gather ./parts --out scores.json`,
    )
    .action(async (parts: string[], options: GatherOptions) => {
      exit(await execute({ kind: 'gather', options }, async (shell) => (await action()).gather(parts, options, shell)));
    });
}
