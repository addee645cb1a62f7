/** `coppice init`: drafts a recipe for a model, with the steps from it to one that ships. */
import type { Command } from 'commander';
import { EXPORT_FORMATS } from '../../engine/write/formats';
import { bytes, checkpoint, choice, file, flag, folder, list, part, positive, text } from '../../jobs/option';
import { acceptedCompute } from '../../jobs/options/compute';
import { BLOCKS_ONLY } from '../../jobs/options/modules';
import type { InitOptions } from '../actions/init';
import { execute, type Exit } from '../execute';
import { addRefusals } from '../job-command';
import { addCommonOptions, addOptions } from '../options';

const options = {
  fewer: part('the goal: this share of the blocks fewer (default: 0.25)', { placeholder: 'share' }),
  fit: bytes('the goal: exported files of at most this size, 100MB: first smaller weights, then fewer blocks', {
    placeholder: 'size',
  }),
  faster: positive('the goal: this many times as fast at writing, 1.3', { placeholder: 'factor' }),
  asFastAs: checkpoint('the goal: as fast at writing as another model', { placeholder: 'checkpoint' }),
  format: choice(EXPORT_FORMATS, 'what is shipped (default: gguf, if the model can be written so, else safetensors)'),
  type: text('type of the shipped weights, q8_0 (default: what fits; without --fit, 8 bits)', { placeholder: 'name' }),
  application: file(
    'what the application reads and writes, a file or a folder: every step has rows of it that the others do not see',
    { placeholder: 'path', conflicts: ['calibration', 'text', 'data'] },
  ),
  calibration: file('a text like those that your application sends, to score blocks on'),
  text: file('another text, to measure quality on'),
  vocabulary: list(
    file('a text'),
    'first trim the vocabulary to these texts of the application, all that it has; the sizes are those of the trimmed model',
    { placeholder: 'file', repeated: true, several: true },
  ),
  tasks: folder('folder with the files of the tasks, to measure accuracy'),
  data: file('data to train on after healing'),
  minutes: positive(
    'heal, and train for as long as lets choosing, healing and training take about so many minutes on this machine, ' +
      'taught by the original; without data, on text that it writes',
    { placeholder: 'n' },
  ),
  yes: flag('write the recipe also where what ships would be larger than the model'),
  paper: text('instead, a recipe of Shortened LLaMA with this model: table-2, figure-1 …', { placeholder: 'name' }),
  out: file('the new recipe; it must not exist (default: MODEL.coppice.json)'),
};

const action = () => import('../actions/init');

export function addInit(program: Command, exit: Exit): void {
  const command = program
    .command('init')
    .summary('write a recipe for a model')
    .description(
      'Writes a recipe: a file with comments and the steps from this model to a shorter one that ships. Reads headers ' +
        'only, and computes nothing but, with --minutes, a short training, and with --vocabulary the trimmed model, which it ' +
        'writes to a temporary folder to know its size. Change what you like, and run it with `coppice run`.',
    )
    .argument('<checkpoint>', 'folder, .safetensors file, index or .gguf file');
  addRefusals(program, command, { kind: 'init', moved: BLOCKS_ONLY });
  addOptions(addCommonOptions(addOptions(command, options)), acceptedCompute)
    .addHelpText(
      'after',
      `
Texts that are not given are looked for beside the recipe and the model, and in their folders “data”.

Examples:
  coppice init ./SmolLM2-135M --calibration data/prose.txt --text data/test.txt
  coppice init ./SmolLM2-135M --application ./chats
  coppice init ./SmolLM2-135M --fewer 0.2 --minutes 60
  coppice init ./gemma-3-270m.gguf --fit 80MB --vocabulary chats.jsonl help.md
  coppice init ./SmolLM2-135M --fit 100MB --out small.coppice.json
  coppice init ./SmolLM2-135M --fit 100MB --type q8_0
  coppice init ./SmolLM2-135M --faster 1.3 --format onnx --tasks ./tasks
  coppice init ./SmolLM2-135M --paper table-2`,
    )
    .action(async (path: string, given: InitOptions) => {
      exit(
        await execute({ kind: 'init', options: given, source: path }, async (shell) =>
          (await action()).init(path, given, shell),
        ),
      );
    });
}
