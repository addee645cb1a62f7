/** `coppice add-to-project`: writes an example that asks an exported model, in a project's own language. */
import type { Command } from 'commander';
import { PROJECT_KINDS } from '../../engine/write/project/kinds';
import { choice, flag, folder } from '../../jobs/option';
import { acceptedCompute } from '../../jobs/options/compute';
import type { AddToProjectOptions } from '../actions/add-to-project';
import { execute, type Exit } from '../execute';
import { addCommonOptions, addOptions } from '../options';

const options = {
  project: folder('folder of the project (default: the current one)'),
  kind: choice(PROJECT_KINDS, 'node, browser or python, where the files of the project do not say it'),
  out: folder('new folder in the project (default: ask-model, for Python ask_model)'),
  copy: flag('copy the model into the new folder; else it is used where it is'),
  dryRun: flag('say what would be written, and write nothing'),
};

const action = () => import('../actions/add-to-project');

export function addAddToProject(program: Command, exit: Exit): void {
  const command = program
    .command('add-to-project')
    .summary('write an example that asks an exported model, in a project')
    .description(
      'Writes a folder into a project: a function that asks the model a question, in the language of the project, a program ' +
        'around it, and a test that asks one question. package.json makes it Node (node-llama-cpp for GGUF, transformers.js for ' +
        'ONNX), index.html a browser (transformers.js, with a small server), pyproject.toml, requirements.txt or setup.py Python ' +
        '(llama-cpp-python, onnxruntime-genai, transformers). Nothing else in the project changes, and nothing is installed: the ' +
        'command that does it is printed.',
    )
    .argument('<exported>', '.gguf file, ONNX folder, or checkpoint folder, as export writes them');
  addOptions(addCommonOptions(addOptions(command, options)), acceptedCompute)
    .addHelpText(
      'after',
      `
Examples:
  coppice add-to-project ./shorter.gguf
  coppice add-to-project ./shorter-onnx --project ./site --kind browser
  coppice add-to-project ./shorter.gguf --project ./service --copy --dry-run`,
    )
    .action(async (exported: string, given: AddToProjectOptions) => {
      exit(
        await execute({ kind: 'add-to-project', options: given, source: exported }, async (shell) =>
          (await action()).addToProject(exported, given, shell),
        ),
      );
    });
}
