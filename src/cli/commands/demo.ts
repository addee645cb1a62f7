/** `coppice demo`: all steps on one page, for new users. */
import type { Command } from 'commander';
import { execute, type Exit } from '../execute';
import type { Complete } from '../../jobs/define';
import { file, folder, whole } from '../../jobs/option';
import { compute } from '../../jobs/options/compute';
import { addCommonOptions, addOptions, type CommonOptions } from '../options';

const options = {
  calibration: file('text to score with (default: a short bundled text)'),
  text: file('text to measure perplexity on (default: another bundled text)'),
  retrain: file(
    'data to retrain with (bundled for the sample model; other models are retrained only with this option)',
  ),
  count: whole('blocks to remove (default: a quarter)'),
  out: folder('folder for models and records; it must not exist (default: coppice-demo, or the next free)'),
  ...compute,
};

export type DemoOptions = CommonOptions & Complete<typeof options>;

const action = () => import('../demo/demo');

export function addDemo(program: Command, exit: Exit): void {
  const command = program
    .command('demo')
    .summary('score, prune, heal, retrain and compare, on one page')
    .description(
      'Scores the blocks of a model, removes a quarter of them, heals and retrains the rest, and shows the ' +
        'effect on perplexity, text, size and speed. Without a checkpoint it uses the sample model that comes with ' +
        'Coppice and takes about a minute.',
    )
    .argument('[checkpoint]', 'folder with weights, config and tokenizer');
  addCommonOptions(addOptions(command, options))
    .addHelpText(
      'after',
      `
Examples:
  coppice demo
  coppice demo ./SmolLM2-135M
  coppice demo ./SmolLM2-135M --calibration prose.txt --text test.txt --count 6
  coppice demo ./SmolLM2-135M --retrain alpaca.json`,
    )
    .action(async (path: string | undefined, given: DemoOptions) => {
      exit(
        await execute({ kind: 'demo', options: given, source: path }, async (shell) =>
          (await action()).runDemo(path, given, shell),
        ),
      );
    });
}
