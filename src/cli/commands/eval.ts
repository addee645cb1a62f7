/** `coppice eval`: perplexity of a text under a checkpoint or a view of it (Shortened LLaMA's two modes, spec §1.12). */
import { basename } from 'node:path';
import { type Command, Option } from 'commander';
import { counted } from '../../engine/counted';
import { CALIBRATION_IS_EVALUATION, wasCalibratedWith } from '../../engine/evaluate/calibrated';
import { perplexityOfRows } from '../../engine/evaluate/perplexity';
import { windowsOfText } from '../../engine/evaluate/text-windows';
import type { BosMode } from '../../engine/evaluate/windows';
import { contextWarning } from '../../engine/importance/calibration';
import { announce } from '../../engine/progress';
import { detailsOf, fileInput } from '../../engine/records/details';
import { readTextFile } from '../../engine/files/text-file';
import { loadTokenizer } from '../../engine/tokenizer/tokenizer';
import type { Model } from '../../engine/model/model';
import { openForComputing, withModel } from '../../engine/model/opened';
import { removedJson, formatRemoved } from '../../engine/model/view';
import { execute, type Exit, type Outcome, type Shell } from '../execute';
import { secondsSince } from '../opened';
import {
  type AdapterOptions,
  addAdapterOptions,
  addComputeOptions,
  type ComputeOptions,
  parseCount,
  parseWindow,
  removeOption,
} from '../options';
import { facts, formatCount, formatNumber, formatSeconds } from '../terminal/text';

const MAX_TEXT_BYTES = 64 * 2 ** 20;
const BOS_MODES: readonly BosMode[] = ['stream', 'window', 'none'];

interface EvalOptions extends ComputeOptions, AdapterOptions {
  readonly text: string;
  readonly window: number;
  readonly bos: BosMode;
  readonly limit?: number;
  readonly remove?: readonly (number | string)[];
}

export function addEval(program: Command, exit: Exit): void {
  const command = program
    .command('eval')
    .summary('perplexity of a text')
    .description(
      'Measures the perplexity of a text in windows that do not overlap. The lower it is, the better the model ' +
        'predicts the text. Perplexities can be compared only at the same window, --bos and text.',
    )
    .argument('<checkpoint>', 'folder, .safetensors file or index')
    .requiredOption('--text <file>', 'text file (UTF-8)')
    .option('--window <n>', 'tokens per window', parseWindow, 128)
    .addOption(
      new Option('--bos <where>', 'the begin-of-text token: once before the text, before each window, or nowhere')
        .choices(BOS_MODES)
        .default('stream'),
    )
    .option('--limit <n>', 'use only the first n windows', parseCount)
    .addOption(removeOption());
  addAdapterOptions(command);
  addComputeOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  coppice eval ./SmolLM2-135M --text wiki.test.txt --limit 64
  coppice eval ./SmolLM2-135M --text wiki.test.txt --remove 10,12-14
  coppice eval ./SmolLM2-135M --text wiki.test.txt --adapter ./adapter
  coppice eval ./gemma --text wiki.test.txt --bos window --json`,
    )
    .action(async (path: string, options: EvalOptions) => {
      exit(await execute({ kind: 'eval', options, source: path }, (shell) => evaluate(path, options, shell)));
    });
}

async function evaluate(path: string, options: EvalOptions, shell: Shell): Promise<Outcome> {
  const { checkpoint, architecture, removed, view, adapter, inputs } = await openForComputing(path, options);
  const text = await readTextFile(options.text, MAX_TEXT_BYTES, 'Evaluation texts have a few MB; cut it into parts.');
  const tokenizer = await loadTokenizer(checkpoint.folder, shell.job);
  if (await wasCalibratedWith(checkpoint, text.sha256)) shell.warn(CALIBRATION_IS_EVALUATION);
  const { window, bos, limit } = options;
  const { bosTokenId } = architecture;
  announce(shell.job, `reading ${basename(options.text)} as tokens`);
  const { rows } = await windowsOfText(tokenizer, text.text, { window, bos, limit, bosTokenId });
  for (const warning of contextWarning(window, architecture.context, 'windows')) shell.warn(warning);
  const start = performance.now();
  const measureText = async (model: Model) => ({
    result: await perplexityOfRows(model, rows, view, shell.job),
    device: model.device,
  });
  const { result, device } = await withModel(checkpoint, { ...options, adapter }, measureText);
  const seconds = secondsSince(start);

  const { ppl, meanNll, tokens, windows, warning } = result;
  if (warning !== undefined) shell.warn(warning);
  return {
    json: { ppl, meanNll, tokens, windows, window, bos, removed: removedJson(removed), seconds },
    page: facts([
      ['perplexity', shell.style.bold(formatNumber(ppl))],
      ['mean loss', `${formatNumber(meanNll)} nats a token`],
      [
        'text',
        `${counted(tokens, 'token', formatCount)} scored in ${counted(windows, 'window', formatCount)} of ${window}, BOS: ${bos}`,
      ],
      ['removed', formatRemoved(removed) || 'nothing'],
      ['time', `${formatSeconds(seconds)} on ${device.provider}`],
    ]),
    run: detailsOf(checkpoint, options, {
      inputs: [fileInput('text', options.text, text.sha256), ...inputs],
      settings: { window, bos, limit: limit ?? null, removed: removedJson(removed) },
      device,
    }),
  };
}
