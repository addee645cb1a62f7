/** `coppice add-to`: puts an exported model where a program of this machine looks for models, and takes it back. */
import { Argument, type Command } from 'commander';
import { flag, folder, text } from '../../jobs/option';
import { PLACE_NAMES, type PlaceName } from '../../places/place';
import type { AddToOptions } from '../actions/add-to';
import { execute, type Exit } from '../execute';
import { addOptions, addOutputOptions } from '../options';

const options = {
  name: text('name of the model there (default: that of the file or folder)', { placeholder: 'name' }),
  folder: folder(
    'the folder in which the program looks, where the usual one is wrong; for llama-server the folder of your application ' +
      '(default: this one)',
  ),
  dryRun: flag('say what would be written and where, and write nothing'),
  undo: flag('take back what was added: exactly what was written, and only where it did not change'),
  list: flag('list all places: whether they are there, and where the model would go'),
};

const action = () => import('../actions/add-to');

export function addAddTo(program: Command, exit: Exit): void {
  const command = program
    .command('add-to')
    .summary('put a model where a program looks for it')
    .description(
      'Puts an exported model where a program of this machine looks for models: Ollama, LM Studio, AI Toolkit, Foundry ' +
        'Local, the cache of Hugging Face, or a task of VS Code that serves it with llama-server. Large files are linked ' +
        'where the disk is the same. Nothing is overwritten, and --undo takes it back. Without a place it lists them.',
    )
    .addArgument(new Argument('[place]', `one of ${PLACE_NAMES.join(', ')}`))
    .argument('[model]', 'exported GGUF file, exported ONNX folder, or folder of a checkpoint, as the place needs it');
  addOptions(addOutputOptions(command), options)
    .addHelpText(
      'after',
      `
Examples:
  coppice add-to
  coppice add-to --list shorter.gguf
  coppice add-to lm-studio shorter.gguf --dry-run
  coppice add-to ollama shorter.gguf --name stories
  coppice add-to hugging-face ./shorter
  coppice add-to foundry-local ./shorter-onnx
  coppice add-to llama-server shorter.gguf --folder ./my-application
  coppice add-to lm-studio shorter.gguf --undo`,
    )
    .action(async (place: PlaceName | undefined, model: string | undefined, given: AddToOptions) => {
      exit(
        await execute({ kind: 'add-to', options: given }, async (shell) =>
          (await action()).addTo(place, model, given, shell),
        ),
      );
    });
}
