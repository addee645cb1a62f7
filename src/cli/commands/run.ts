/** `coppice run`: makes what a recipe describes, and does only what is not done. */
import { type Command, InvalidArgumentError } from 'commander';
import { parsePart } from '../../engine/parts/part';
import { acceptedCompute } from '../../jobs/options/compute';
import type { RunOptions } from '../actions/run';
import { execute, type Exit } from '../execute';
import { addCommonOptions, addOptions, optionsOf } from '../options';

const action = () => import('../actions/run');

export function addRun(program: Command, exit: Exit): void {
  const command = program
    .command('run')
    .summary('run a recipe: the steps from a model to the one that ships')
    .description(
      'Runs the steps of a recipe (*.coppice.json) whose results are not there: those that never ran, whose options, inputs ' +
        'or version changed, and those that follow them. A run that was stopped goes on. A broken limit ends the run.',
    )
    .argument('<recipe>', 'file of the recipe');
  recipeOptions(command)
    .option('--alone', 'only the steps of --step: what they need must be done')
    .option('--dry-run', 'only say what would run, and how long that is expected to take')
    .option(
      '--folder <dir>',
      'folder for state, results and report: new, empty, or used by this recipe before (default: .coppice/NAME beside the recipe)',
    )
    .option('--report <file>', 'also write the report to this file: FILE.html or FILE.md');
  addPartOptions(command);
  addOptions(addCommonOptions(command), acceptedCompute)
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 a step failed, 2 wrong usage, 3 a limit is broken, 130 cancelled with Ctrl-C.

Examples:
  coppice run model.coppice.json
  coppice run model.coppice.json --dry-run
  coppice run model.coppice.json --step quality --set count=4
  coppice run recipes/shortened-llama/table-2.coppice.json --model ./SmolLM2-135M --quick`,
    )
    .action(async (file: string, options: RunOptions) => {
      const compute = optionsOf(acceptedCompute, command, []);
      exit(
        await execute({ kind: 'run', options }, async (shell) => (await action()).run(file, options, compute, shell)),
      );
    });
}

/** Options that say what of a recipe is run, and with what. */
export const recipeOptions = (command: Command): Command =>
  command
    .option('--step <name...>', 'only these steps, and what they need')
    .option('--set <name=value...>', "other values for the recipe's variables; a value is JSON or a text")
    .option('--model <checkpoint>', "another model than the recipe's, with a state of its own")
    .option('--quick', "with the recipe's quick values, and every output in the folder of the state")
    .option('--consumers', 'steps that ask for it also run what they wrote in other programs; without it none starts')
    .option('--consumers-from <dir>', 'a folder whose node_modules, or whose Python, these programs may come from too');

/** What the jobs of a cluster do with a step that runs in parts. */
function addPartOptions(command: Command): void {
  const invalid = (must: string): never => {
    throw new InvalidArgumentError(`It must be ${must}.`);
  };
  command
    .option(
      '--part <i/n>',
      'with --step: compute only the i-th of n parts of a step that can be cut, into the folder of the state',
      (text) => parsePart(text) ?? invalid('a part such as 3/8'),
    )
    .option('--gather <n>', 'with --step: make the result of a step from its n parts', (text) =>
      parsePart(`1/${text}`) === undefined ? invalid('a number of parts') : Number(text),
    );
}
