/** `coppice init`: drafts a recipe for a model, with the steps from it to one that ships. */
import type { Command } from 'commander';
import { basename, resolve } from 'node:path';
import { checkFileTarget, refuseExisting } from '../../jobs/file-target';
import { writeWhole } from '../../engine/files/whole-file';
import { EXPORT_FORMATS, type ExportFormat } from '../../jobs/definitions/export';
import { bytes, checkpoint, choice, file, folder, part, positive, text } from '../../jobs/option';
import { acceptedCompute } from '../../jobs/options/compute';
import { checkpointName } from '../../jobs/titles';
import { draftRecipe } from '../../recipes/init/draft';
import { type DraftedRecipe, type Goal, type RecipeWish, USUAL_GOAL } from '../../recipes/init/wish';
import { RECIPE_SUFFIX } from '../../recipes/recipe';
import { execute, type Exit, type Outcome, type Shell } from '../execute';
import { UsageError } from '../failure';
import { addCommonOptions, addOptions, type CommonOptions } from '../options';

const GOALS = ['fewer', 'fit', 'faster', 'asFastAs'] as const;

const options = {
  fewer: part('the goal: this share of the blocks fewer (default: 0.25)', { placeholder: 'share' }),
  fit: bytes('the goal: exported files of at most this size, 100MB: first smaller weights, then fewer blocks', {
    placeholder: 'size',
  }),
  faster: positive('the goal: this many times as fast at writing, 1.3', { placeholder: 'factor' }),
  asFastAs: checkpoint('the goal: as fast at writing as another model', { placeholder: 'checkpoint' }),
  format: choice(EXPORT_FORMATS, 'what is shipped (default: gguf, if the model can be written so, else safetensors)'),
  type: text('type of the shipped weights, q8_0 (default: what fits; without --fit, 8 bits)', { placeholder: 'name' }),
  calibration: file('a text like those that your application sends, to score blocks on'),
  text: file('another text, to measure quality on'),
  tasks: folder('folder with the files of the tasks, to measure accuracy'),
  data: file('data to train on after healing'),
  out: file('the new recipe; it must not exist (default: MODEL.coppice.json)'),
};

interface InitOptions extends CommonOptions {
  readonly fewer?: number;
  readonly fit?: number;
  readonly faster?: number;
  readonly asFastAs?: string;
  readonly format?: ExportFormat;
  readonly type?: string;
  readonly calibration?: string;
  readonly text?: string;
  readonly tasks?: string;
  readonly data?: string;
  readonly out?: string;
}

export function addInit(program: Command, exit: Exit): void {
  const command = program
    .command('init')
    .summary('write a recipe for a model')
    .description(
      'Writes a recipe: a file with comments and the steps from this model to a shorter one that ships. Reads headers ' +
        'only, and computes nothing. Change what you like, and run it with `coppice run`.',
    )
    .argument('<checkpoint>', 'folder, .safetensors file, index or .gguf file');
  addOptions(addCommonOptions(addOptions(command, options)), acceptedCompute)
    .addHelpText(
      'after',
      `
Texts that are not given are looked for beside the recipe and the model, and in their folders “data”.

Examples:
  coppice init ./SmolLM2-135M --calibration data/prose.txt --text data/test.txt
  coppice init ./SmolLM2-135M --fit 100MB --out small.coppice.json
  coppice init ./SmolLM2-135M --fit 100MB --type q8_0
  coppice init ./SmolLM2-135M --faster 1.3 --format onnx --tasks ./tasks`,
    )
    .action(async (path: string, given: InitOptions) => {
      exit(await execute({ kind: 'init', options: given, source: path }, (shell) => init(path, given, shell)));
    });
}

async function init(path: string, given: InitOptions, shell: Shell): Promise<Outcome> {
  const goal = goalOf(given);
  const file = resolve(given.out ?? `${checkpointName(resolve(path))}${RECIPE_SUFFIX}`);
  await refuseExisting(file, 'Give the new recipe another name with --out.');
  await checkFileTarget('the recipe', file, path);
  const { format, type, calibration, text: measured, tasks, data } = given;
  const wish: RecipeWish = { file, goal, format, type, calibration, text: measured, tasks, data };
  const drafted = await draftRecipe(path, wish, shell.job);
  await writeWhole(file, drafted.text);
  drafted.warnings.forEach(shell.warn);
  const { text: _, ...facts } = drafted;
  return {
    json: { recipe: file, ...facts },
    page: pageOf(file, drafted, shell),
    run: { inputs: [], settings: { goal } },
  };
}

function goalOf(given: InitOptions): Goal {
  const goals = GOALS.filter((name) => given[name] !== undefined);
  if (goals.length > 1) {
    const [one, other] = goals.map((name) => FLAGS[name]);
    throw new UsageError('There are two goals', `${one} and ${other} are given`, 'Leave one of them out.');
  }
  if (given.fewer !== undefined) return { kind: 'fewer', share: given.fewer };
  if (given.fit !== undefined) return { kind: 'fit', bytes: given.fit };
  if (given.faster !== undefined) return { kind: 'faster', factor: given.faster };
  return given.asFastAs === undefined ? USUAL_GOAL : { kind: 'as-fast-as', checkpoint: given.asFastAs };
}

const FLAGS = { fewer: '--fewer', fit: '--fit', faster: '--faster', asFastAs: '--as-fast-as' } as const;

function pageOf(file: string, { notes }: DraftedRecipe, { shown, style }: Shell): string[] {
  const name = basename(file);
  return [
    `Wrote ${style.bold(shown(file))}.`,
    ...notes.map((note) => `  ${shown(note)}`),
    `See what it does: coppice run ${shown(name)} --dry-run`,
  ];
}
