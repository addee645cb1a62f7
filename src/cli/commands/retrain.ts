/** `coppice retrain`: heals a pruned model, or trains one further, and writes the adapter or the checkpoint. */
import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { openCheckpoint } from '../../engine/checkpoint/open';
import { resultJson, type RetrainResult } from '../../engine/retrain/report';
import { retrain, type TeacherSource } from '../../engine/retrain/retrain';
import type { RetrainSettings } from '../../engine/retrain/settings';
import { selfDataFileOf, stateFileOf } from '../../engine/retrain/loop/workspace';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import type { Model } from '../../engine/model/model';
import { openForComputing, type OpenedModel, withModel } from '../../engine/model/opened';
import { execute, type Exit, type Outcome, type Shell } from '../execute';
import { addRetrainOptions, type RetrainOptions, settingsOf } from '../retraining/options';
import { resultPage, resumeCommand, startLines, stoppedLine } from '../pages/retrain';
import { isCancellation } from '../signals';

export function addRetrain(program: Command, exit: Exit): void {
  const command = program
    .command('retrain')
    .summary('heal a pruned model by training')
    .description(
      'Trains a LoRA adapter, or every weight with --full, and writes it. With --remove the model without those blocks ' +
        'is trained, and nothing need be pruned before. Ctrl-C keeps what was trained; --resume goes on with it.',
    )
    .argument('<checkpoint>', 'folder, .safetensors file or index');
  addRetrainOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  coppice retrain ./SmolLM2-135M --remove 10,12-16 --data alpaca.json --out ./adapter
  coppice retrain ./SmolLM2-24 --data alpaca.json --teacher ./SmolLM2-135M --out ./SmolLM2-24-retrained --merge
  coppice retrain ./SmolLM2-135M --remove 10,12-16 --data self --out ./adapter
  coppice retrain ./SmolLM2-24 --full --data corpus.txt --lr 5e-5 --out ./SmolLM2-24-trained`,
    )
    .action(async (path: string, options: RetrainOptions) => {
      exit(await execute({ kind: 'retrain', options, source: path }, (shell) => run(path, options, shell)));
    });
}

async function run(path: string, options: RetrainOptions, shell: Shell): Promise<Outcome> {
  const settings = settingsOf(options);
  const opened = await openForComputing(path, { remove: options.remove });
  const checkpoints = [opened.checkpoint];
  let result: RetrainResult;
  try {
    result = await withModel(opened.checkpoint, options, (model) =>
      withTeacher(options, (teacher) => {
        if (teacher) checkpoints.push(teacher.model.checkpoint);
        return train(model, teacher, opened, settings, options, shell);
      }),
    );
  } catch (error) {
    const args = process.argv.slice(2);
    if (isCancellation(error) && existsSync(stateFileOf(options.out))) {
      shell.warn(`stopped; to go on: ${resumeCommand(args)}`);
    } else if (isCancellation(error) && existsSync(selfDataFileOf(options.out))) {
      shell.warn('stopped; the text that was written is kept for the same command');
    }
    throw error;
  }
  if (result.stopped) shell.warn(stoppedLine(result.stopped));
  for (const { name, why } of result.leftBehind) shell.note(`${name} was not copied: ${why}`);
  const { kind, out, seconds } = result;
  const { inputs, settings: recorded, seed, device, versions } = result.record;
  return {
    json: { adapter: kind === 'adapter' ? out : null, out, ...resultJson(result), seconds },
    page: resultPage(result, path, shell.style, shell.shown),
    run: {
      checkpoints,
      inputs,
      settings: recorded,
      seed: seed ?? undefined,
      device,
      onnxruntime: versions.onnxruntime ?? undefined,
    },
  };
}

async function withTeacher<T>(
  options: RetrainOptions,
  body: (teacher: TeacherSource | undefined) => Promise<T>,
): Promise<T> {
  const { teacher: path, teacherWeight: weight = DEFAULT_WEIGHT } = options;
  if (path === undefined) return body(undefined);
  return withModel(await openCheckpoint(path), options, (model) => body({ model, weight }));
}

/** Half of what is learnt is the text, half the teacher. */
const DEFAULT_WEIGHT = 0.5;

async function train(
  model: Model,
  teacher: TeacherSource | undefined,
  { checkpoint, removed }: OpenedModel,
  settings: RetrainSettings,
  { device, threads, memory }: RetrainOptions,
  shell: Shell,
): Promise<RetrainResult> {
  const context = {
    removed,
    teacher,
    tokenizer: await optionalTokenizer(checkpoint.folder, shell.job),
    opened: { device, threads, memory },
    hooks: { onStart: (start: Parameters<typeof startLines>[0]) => startLines(start).forEach(shell.note) },
  };
  return retrain(model, settings, context, shell.job);
}
