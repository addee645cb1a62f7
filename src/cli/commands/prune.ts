/** `coppice prune`: chooses blocks by scores or by hand and writes the checkpoint without them. */
import { type Command, Option } from 'commander';
import type { Architecture } from '../../engine/checkpoint/architecture';
import { openCheckpoint, requireArchitecture } from '../../engine/checkpoint/open';
import { parametersOf, meanLayerParameters } from '../../engine/checkpoint/parameters';
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { Calibration } from '../../engine/importance/calibration';
import type { Criterion, CriterionSettings } from '../../engine/importance/criterion';
import { scoresWarning } from '../../engine/importance/not-finite';
import { type CriterionResult, runCriterion } from '../../engine/importance/run-criterion';
import { parseBlockList } from '../../engine/checkpoint/block-list';
import { type Choice, choiceInputs, type ScoringText } from '../../engine/importance/choice';
import { blocksToRemove, parseParameterCount, type SizeGoal } from '../../engine/importance/count';
import { describeReduction } from '../../engine/checkpoint/reduction';
import { type Ranking, selectByScores } from '../../engine/importance/ranking';
import { mergekitRecipe, pruneLayersCommand } from '../../engine/write/recipes';
import { readScores } from '../../engine/importance/scores-file';
import { keepList, requireRoom, selectExplicit, wholeBlocks } from '../../engine/importance/select';
import { checkTarget } from '../../engine/files/target';
import { writePruned } from '../../engine/write/write-pruned';
import { foldersOf } from '../../engine/write/write-checkpoint';
import { writeTextFile } from '../../engine/system-failure';
import { detailsOf, fileInput } from '../../engine/records/details';
import type { RunInput } from '../../engine/records/record';
import { parseRemoved } from '../../engine/model/view';
import { addMagnitudeOptions, CRITERIA_HELP, criterionOption, requireCalibration } from '../criteria';
import { execute, type Exit, type Outcome, type Shell } from '../execute';
import { asUsage, UsageError } from '../failure';
import { ANY_BLOCKS, secondsSince } from '../opened';
import {
  addCalibrationOptions,
  addComputeOptions,
  addKeepEndsAliases,
  type ComputeOptions,
  parseCount,
  parseFraction,
} from '../options';
import { checkFileTarget } from '../run-record';
import { formatSeconds } from '../terminal/text';

interface PruneOptions extends ComputeOptions, CriterionSettings {
  readonly out: string;
  readonly scores?: string;
  readonly criterion?: Criterion;
  readonly blocks?: string;
  readonly count?: number;
  readonly ratio?: number;
  readonly targetParams?: string;
  readonly keep?: string;
  readonly keepEnds: boolean;
  readonly mergekit?: string;
  readonly llamaCpp?: string;
}

export function addPrune(program: Command, exit: Exit): void {
  const command = program
    .command('prune')
    .summary('write a checkpoint without its least important blocks')
    .description(
      'Writes a new checkpoint without some blocks. Which ones: --scores or --criterion with one of --count, --ratio, ' +
        '--target-params, or --blocks. The first four blocks and the last two stay unless --no-keep-ends is given. ' +
        'The source is never changed; the record of the run is coppice.json in the new checkpoint.',
    )
    .argument('<checkpoint>', 'folder, .safetensors file or index')
    .requiredOption('--out <dir>', 'folder of the new checkpoint; it must not exist')
    .addOption(new Option('--scores <file>', 'what `coppice score --json` printed').conflicts(['criterion', 'blocks']))
    .addOption(criterionOption().conflicts('blocks'))
    .addOption(
      new Option('--blocks <list>', 'remove exactly these: 10,12-14').conflicts(['count', 'ratio', 'targetParams']),
    )
    .addOption(
      new Option('--count <n>', 'remove so many blocks').argParser(parseCount).conflicts(['ratio', 'targetParams']),
    )
    .addOption(
      new Option('--ratio <r>', 'remove at most this share of all parameters, such as 0.2')
        .argParser(parseFraction(true))
        .conflicts('targetParams'),
    )
    .option('--target-params <n>', 'keep at least so many parameters: 5.4B, 110M')
    .option('--keep <list>', 'blocks that stay, besides the first four and the last two: 5,28')
    .option('--no-keep-ends', 'the first four blocks and the last two may go too')
    .option('--mergekit <file>', 'also write the removal as a mergekit configuration')
    .option('--llama-cpp <file>', 'also write it as the command line of llama-quantize --prune-layers');
  addKeepEndsAliases(command);
  addCalibrationOptions(command);
  addMagnitudeOptions(command);
  addComputeOptions(command)
    .addHelpText(
      'after',
      `${CRITERIA_HELP}

Examples:
  coppice prune ./SmolLM2-135M --scores scores.json --count 6 --out ./SmolLM2-24
  coppice prune ./SmolLM2-135M --criterion magnitude --ratio 0.2 --out ./SmolLM2-20
  coppice prune ./SmolLM2-135M --criterion ppl --calibration prose.txt --count 6 --out ./SmolLM2-24
  coppice prune ./SmolLM2-135M --blocks 10,12-14 --out ./SmolLM2-26 --mergekit recipe.yaml`,
    )
    .action(async (path: string, options: PruneOptions) => {
      exit(await execute({ kind: 'prune', options, source: path }, (shell) => prune(path, options, shell)));
    });
}

/** The blocks to remove, and how they were found. */
interface Selection {
  readonly removed: readonly number[];
  readonly choice: Choice;
  readonly inputs: readonly RunInput[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly seed?: number;
  readonly device?: unknown;
}

async function prune(path: string, options: PruneOptions, shell: Shell): Promise<Outcome> {
  const start = performance.now();
  const started = new Date();
  checkUsage(options);
  for (const file of [options.mergekit, options.llamaCpp]) {
    if (file !== undefined) await checkFileTarget('the recipe', file, path);
  }
  const checkpoint = await openCheckpoint(path);
  const architecture = requireArchitecture(checkpoint);
  await checkTarget(options.out, foldersOf(checkpoint));
  const selection = await choose(checkpoint, architecture, options, shell);
  const details = detailsOf(checkpoint, options, selection);
  const written = await writePruned(checkpoint, selection.removed, options.out, {
    ...shell.job,
    choice: selection.choice,
    provenance: { ...details, inputs: selection.inputs, started },
  });
  const { removed, kept, slices, parametersBefore, parametersAfter, bytesBefore, bytesAfter, out } = written;

  const recipes: [string, string][] = [];
  if (options.mergekit !== undefined) recipes.push([options.mergekit, mergekitRecipe(path, slices, checkpoint)]);
  if (options.llamaCpp !== undefined) recipes.push([options.llamaCpp, `${pruneLayersCommand(removed)}\n`]);
  for (const [file, text] of recipes) await writeTextFile(file, text);
  for (const { name, why } of written.leftBehind) shell.note(`${name} was not copied: ${why}`);

  const seconds = secondsSince(start);
  return {
    json: { removed, kept, slices, parametersBefore, parametersAfter, bytesBefore, bytesAfter, out, seconds },
    page: [
      ...describeReduction(written),
      `written     ${shell.shown(out)} in ${formatSeconds(seconds)}`,
      ...recipes.map(([file]) => `recipe      ${shell.shown(file)}`),
    ],
    run: details,
  };
}

/** What can be seen to be wrong before anything is opened. */
function checkUsage(options: PruneOptions): void {
  const { blocks, scores, criterion, keep, targetParams } = options;
  if (blocks !== undefined) asUsage(() => parseBlocks(blocks, ANY_BLOCKS));
  if (keep !== undefined) asUsage(() => parseBlockList(keep, ANY_BLOCKS, '--keep'));
  if (targetParams !== undefined) asUsage(() => parseParameterCount(targetParams, '--target-params'));
  if (blocks !== undefined) return;
  if (scores === undefined && criterion === undefined) {
    throw new UsageError(
      'nothing says which blocks to remove',
      'none of --scores, --criterion and --blocks is given',
      'Add --criterion ppl --calibration FILE, or another of them.',
    );
  }
  if (goalOf(options) === undefined) {
    throw new UsageError(
      'nothing says how much to remove',
      'none of --count, --ratio and --target-params is given',
      'Add --count 6, or another of them.',
    );
  }
  if (criterion !== undefined) requireCalibration(criterion, options);
}

/** Modules are read as well, so that the answer can be why a checkpoint without one is not written. */
function parseBlocks(text: string, blocks: number): number[] {
  const modules = /\.(attention|ffn)\b/.test(text);
  return modules ? wholeBlocks(parseRemoved(text, blocks)) : parseBlockList(text, blocks, '--blocks');
}

function goalOf({ count, ratio, targetParams }: PruneOptions): SizeGoal | undefined {
  if (count !== undefined) return { kind: 'count', count };
  if (ratio !== undefined) return { kind: 'ratio', ratio };
  if (targetParams === undefined) return undefined;
  return { kind: 'target', parameters: parseParameterCount(targetParams, '--target-params') };
}

async function choose(
  checkpoint: Checkpoint,
  architecture: Architecture,
  options: PruneOptions,
  shell: Shell,
): Promise<Selection> {
  const keep = options.keep === undefined ? [] : parseBlockList(options.keep, architecture.layers.length, '--keep');
  if (options.blocks !== undefined) {
    const list = parseBlocks(options.blocks, architecture.layers.length);
    return {
      removed: selectExplicit(list, architecture.layers.length, keep),
      ...{ choice: 'hand', inputs: [], settings: { chosen: 'by hand', keep } },
    };
  }
  const kept = keepList(architecture.layers.length, { keepEnds: options.keepEnds, keep });
  const size = { total: parametersOf(architecture), block: meanLayerParameters(architecture) };
  const goal = goalOf(options)!;
  const count = blocksToRemove(goal, size);
  requireRoom(architecture.layers.length, count, kept);
  const settings = {
    count,
    ratio: options.ratio,
    targetParams: options.targetParams,
    keep,
    keepEnds: options.keepEnds,
  };
  if (options.scores !== undefined) {
    const scores = await readScores(options.scores, checkpoint, architecture.layers.length);
    const warning = scoresWarning(resultOfRanking(scores.ranking));
    if (warning !== undefined) shell.warn(warning);
    const removed = selectByScores(scores.ranking, architecture.layers.length, count, kept);
    const { criterion, calibration } = scores;
    const choice = { criterion, goal, blocks: removed, calibration };
    return {
      ...{ removed, choice },
      inputs: [fileInput('scores', options.scores, scores.sha256), ...choiceInputs(choice)],
      settings: { chosen: 'by criterion', criterion, ...settings },
    };
  }
  const criterion = options.criterion!;
  const scored = await runCriterion(checkpoint, criterion, options, shell.job, { count, kept });
  for (const warning of scored.warnings) shell.warn(warning);
  const removed = selectByScores(scored.ranking, architecture.layers.length, count, kept);
  return {
    removed,
    choice: { criterion, goal, blocks: removed, calibration: scored.calibration && scoringText(scored.calibration) },
    inputs: scored.inputs,
    settings: { chosen: 'by criterion', criterion, ...settings, ...scored.settings },
    seed: scored.seed,
    device: scored.device,
  };
}

/** The numbers of a ranking, as a criterion found them. */
function resultOfRanking(ranking: Ranking): CriterionResult {
  if (ranking.kind === 'scores') return { blocks: ranking.scores.map((score, index) => ({ index, score })) };
  return ranking.kind === 'windows' ? { windows: ranking.windows } : {};
}

const scoringText = ({ source, sha256, samples, length, seed }: Calibration): ScoringText => ({
  ...{ name: source, sha256, samples, length, seed },
});
