/** `coppice inspect`: describes a checkpoint from its headers only. */
import type { Command } from 'commander';
import { execute, type Exit } from '../execute';
import { acceptedCompute } from '../../jobs/options/compute';
import { addCommonOptions, addOptions, type CommonOptions } from '../options';

const action = () => import('../actions/inspect');

export function addInspect(program: Command, exit: Exit): void {
  const command = program
    .command('inspect')
    .summary('show what a checkpoint contains')
    .description(
      'Shows architecture, sizes and types of a checkpoint. Reads only the headers, so it is fast for any size.',
    )
    .argument('<checkpoint>', 'folder, .safetensors file, index or .gguf file');
  addOptions(addCommonOptions(command), acceptedCompute)
    .addHelpText(
      'after',
      `
Examples:
  coppice inspect ./SmolLM2-135M
  coppice inspect ./model.safetensors --json
  coppice inspect ./model-Q4_K_M.gguf`,
    )
    .action(async (path: string, options: CommonOptions) => {
      exit(
        await execute({ kind: 'inspect', options, source: path }, async (shell) =>
          (await action()).inspect(path, shell),
        ),
      );
    });
}
