/** `coppice take`: brings back what another program trained. */
import type { Command } from 'commander';
import { JOBS } from '../../jobs/definitions';
import type { TakeOptions } from '../actions/take';
import { execute, type Exit } from '../execute';
import { addOptions, addOutputOptions } from '../options';

const action = () => import('../actions/take');

const { out, merge, dtype, device, threads, memory } = JOBS.retrain.options;

export function addTake(program: Command, exit: Exit): void {
  const command = program
    .command('take')
    .summary('take back what was trained elsewhere')
    .description(
      'Reads the result of a training that coppice hand-over prepared: an adapter in PEFT’s format, or a checkpoint. Refuses ' +
        'a hand-over that has changed and a result that does not fit, compares the model before and after the training with the ' +
        'original on the rows that were held out, and writes it as retrain does.',
    )
    .argument('<folder>', 'folder that coppice hand-over wrote, with the result in it');
  addOptions(addOutputOptions(command), {
    out,
    merge,
    dtype: { ...dtype, group: merge.group },
    device,
    threads,
    memory,
  })
    .addHelpText(
      'after',
      `
Examples:
  coppice take ./to-train --out ./adapter
  coppice take ./to-train --merge --out ./SmolLM2-24-trained`,
    )
    .action(async (folder: string, options: TakeOptions) => {
      exit(await execute({ kind: 'take', options }, async (shell) => (await action()).taken(folder, options, shell)));
    });
}
