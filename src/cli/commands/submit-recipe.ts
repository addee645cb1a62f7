/** `coppice submit SCHEDULER run RECIPE`: a whole recipe on a cluster, in jobs that wait for each other. */
import type { Command } from 'commander';
import type { SubmitRecipeOptions } from '../actions/submit-recipe';
import { execute, type Exit } from '../execute';
import { addOutputOptions } from '../options';
import type { SchedulerFace } from '../schedulers/face';
import { recipeOptions } from './run';

const action = () => import('../actions/submit-recipe');

/** What `coppice submit` takes for all that it submits. */
export interface SubmitParts {
  /** Adds the options for parts, folder and command. */
  readonly addTo: (command: Command, folder: string) => Command;
  readonly commandOf: (words: string | undefined) => readonly string[];
}

export function addRecipeOf(parent: Command, face: SchedulerFace, parts: SubmitParts, exit: Exit): void {
  const command = parent
    .command('run', { hidden: face.recipes !== undefined })
    .summary('run a recipe: heavy steps in parts, the others between them')
    .description(
      face.recipes === undefined
        ? 'Submits the steps of a recipe that are not done, as one run: those that can be cut in parts (score, eval, tasks, curve, heal, ' +
            'experts), and the others in jobs between them. Each waits for those that it needs. coppice status says how far it is.'
        : `Not on ${face.title}: ${face.recipes}`,
    )
    .argument('<recipe>', 'file of the recipe');
  recipeOptions(command);
  parts.addTo(command, 'folder of the state, which all machines see (default: .coppice/NAME beside the recipe)');
  face.addOptions(command);
  addOutputOptions(command)
    .addHelpText(
      'after',
      `\nExamples:\n  coppice submit ${face.name} run model.coppice.json --parts 8 --folder ./run${face.recipes === undefined ? '\n  coppice status ./run --wait' : ''}`,
    )
    .action(async (file: string, options: SubmitRecipeOptions) => {
      const words = parts.commandOf(options.command);
      exit(
        await execute({ kind: 'submit', options }, async (shell) =>
          (await action()).submittedRecipe(file, options, { face, asked: face.asked(command.opts()), words }, shell),
        ),
      );
    });
}
