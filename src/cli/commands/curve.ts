/** `coppice curve`: perplexity against the number of removed blocks, in the order of a criterion (spec §1, Figure 2). */
import { openForComputing } from '../../engine/model/opened';
import type { Command } from 'commander';
import { counted } from '../../engine/counted';
import type { CurvePoint } from '../../engine/evaluate/curve';
import { type CurveOptions as EngineOptions, runCurve } from '../../engine/evaluate/run-curve';
import { type Criterion, type CriterionSettings, needsCalibration } from '../../engine/importance/criterion';
import { parseBlockList } from '../../engine/checkpoint/block-list';
import { detailsOf } from '../../engine/records/details';
import { modelName } from '../../engine/records/record';
import { addMagnitudeOptions, CRITERIA_HELP, criterionOption, requireCalibration } from '../criteria';
import { execute, type Exit, type Outcome, type Shell } from '../execute';
import { asUsage, UsageError } from '../failure';
import { secondsSince } from '../opened';
import {
  type AdapterOptions,
  addAdapterOptions,
  addCalibrationOptions,
  addComputeOptions,
  addKeepEndsAliases,
  type ComputeOptions,
  parseCount,
  parseWindow,
  removeOption,
} from '../options';
import { formatCount, formatNumber, formatSeconds, table } from '../terminal/text';

interface CurveOptions extends ComputeOptions, CriterionSettings, AdapterOptions {
  readonly criterion: Criterion;
  readonly scores?: string;
  readonly most?: number;
  /** False after `--no-keep-ends`. */
  readonly keepEnds: boolean;
  readonly keep?: string;
  readonly text?: string;
  readonly window: number;
  readonly limit?: number;
  readonly remove?: readonly (number | string)[];
}

export function addCurve(program: Command, exit: Exit): void {
  const command = program
    .command('curve')
    .summary('perplexity against the number of removed blocks')
    .description(
      'Removes one, two, three … blocks in the order of a criterion and measures the perplexity of each model: ' +
        'where it bends, and where it breaks. Nothing is written.',
    )
    .argument('<checkpoint>', 'folder, .safetensors file or index')
    .addOption(criterionOption().default('ppl'))
    .option('--scores <file>', 'take the order from what `coppice score --json` printed')
    .option('--most <n>', 'largest number of removed blocks (default: all that may go)', parseCount)
    .option('--no-keep-ends', 'let the first four blocks and the last two go too')
    .option('--keep <list>', 'further blocks that stay: 5,12-14')
    .option('--text <file>', 'measure on a text instead of the calibration rows')
    .option('--window <n>', 'with --text: tokens per window', parseWindow, 128)
    .option('--limit <n>', 'with --text: use only the first n windows', parseCount)
    .addOption(removeOption());
  addKeepEndsAliases(command);
  addAdapterOptions(command);
  addCalibrationOptions(command);
  addMagnitudeOptions(command);
  addComputeOptions(command)
    .addHelpText(
      'after',
      `${CRITERIA_HELP}

Examples:
  coppice curve ./SmolLM2-135M --calibration prose.txt --most 12
  coppice curve ./SmolLM2-135M --scores scores.json --text test.txt --limit 32
  coppice curve ./SmolLM2-135M --criterion magnitude --calibration prose.txt --json`,
    )
    .action(async (path: string, options: CurveOptions) => {
      exit(await execute({ kind: 'curve', options, source: path }, (shell) => curve(path, options, shell)));
    });
}

async function curve(path: string, options: CurveOptions, shell: Shell): Promise<Outcome> {
  const start = performance.now();
  const { criterion, scores, most, keepEnds } = options;
  const rows = rowsOf(options);
  if (scores === undefined && needsCalibration(criterion)) requireCalibration(criterion, options);
  const opened = await openForComputing(path, options);
  const { checkpoint, architecture } = opened;
  const { keep: list } = options;
  const keep = list === undefined ? [] : asUsage(() => parseBlockList(list, architecture.blocks, '--keep'));
  const asked = { criterion, scoring: options, scores, most, keepEnds, keep, rows };
  const { warnings, ...measured } = await runCurve(opened, asked, options, shell.job);
  for (const warning of warnings) shell.warn(warning);
  const { points, text, parametersRead, device, inputs, settings } = measured;
  const model = { name: modelName(checkpoint), path: checkpoint.path, identity: checkpoint.identity };
  const seconds = secondsSince(start);
  return {
    json: { criterion, model, points, text, parametersRead, seconds, device: device.provider },
    page: [
      ...pointsPage(points),
      '',
      `Measured on ${counted(text.rows, 'row', formatCount)} of ${counted(text.length, 'token')} of ${shell.shown(text.name)}, in ${formatSeconds(seconds)} on ${device.provider}.`,
    ],
    run: detailsOf(checkpoint, options, { inputs, settings, device }),
  };
}

function rowsOf({ text, window, limit, calibration, samples, length, seed }: CurveOptions): EngineOptions['rows'] {
  if (text !== undefined) return { from: 'text', file: text, window, limit };
  if (calibration !== undefined) return { from: 'calibration', file: calibration, samples, length, seed };
  throw new UsageError(
    'There is nothing to measure the perplexity on',
    'neither --calibration nor --text is given',
    'Add --text FILE, or --calibration FILE to measure on its rows.',
  );
}

/** One line a point; what came on top of the point before is named. */
function pointsPage(points: readonly CurvePoint[]): string[] {
  const full = points[0].ppl;
  return table(
    ['>removed', '>perplexity', '>× whole', '>parameters', 'new'],
    points.map(({ count, ppl, parameters, removed }, i) => {
      const fresh = i === 0 ? [] : removed.filter((block) => !points[i - 1].removed.includes(block));
      return [
        String(count),
        formatNumber(ppl, 5),
        formatNumber(ppl / full, 3),
        formatCount(parameters),
        fresh.join(', '),
      ];
    }),
  );
}
