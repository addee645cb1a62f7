/** `coppice score`: how much every block matters, by one of the criteria. The keep-list plays no part, except in greedy. */
import { type Command, Option } from 'commander';
import { type Criterion, type CriterionSettings, readsWeights } from '../../engine/importance/criterion';
import { runCriterion } from '../../engine/importance/run-criterion';
import { scoreReport } from '../../engine/importance/score-report';
import { parseBlockList } from '../../engine/checkpoint/block-list';
import { detailsOf } from '../../engine/records/details';
import { removedJson } from '../../engine/model/opened';
import { addMagnitudeOptions, CRITERIA_HELP, criterionOption, requireCalibration } from '../criteria';
import { execute, type Exit, type Outcome, type Shell } from '../execute';
import { asUsage, UsageError } from '../failure';
import { openForCommand, secondsSince } from '../opened';
import {
  type AdapterOptions,
  addAdapterOptions,
  addCalibrationOptions,
  addComputeOptions,
  type ComputeOptions,
  parseCount,
  removeOption,
} from '../options';
import { scorePage } from '../pages/score';

interface ScoreOptions extends ComputeOptions, CriterionSettings, AdapterOptions {
  readonly criterion: Criterion;
  readonly granularity: 'block' | 'module';
  readonly count?: number;
  readonly keep?: string;
  readonly remove?: string;
}

export function addScore(program: Command, exit: Exit): void {
  const command = program
    .command('score')
    .summary('how much every block matters')
    .description('Scores every Transformer block: the lower the score, the less the block matters.')
    .argument('<checkpoint>', 'folder, .safetensors file or index')
    .addOption(criterionOption().default('ppl'))
    .addOption(
      new Option('--granularity <part>', 'ppl: score whole blocks, or attention and FFN apart')
        .choices(['block', 'module'])
        .default('block'),
    )
    .option('--count <n>', 'greedy: stop after so many removals', parseCount)
    .option('--keep <list>', 'greedy: blocks that it never tries: 0-3,28')
    .addOption(removeOption());
  addAdapterOptions(command);
  addCalibrationOptions(command);
  addMagnitudeOptions(command);
  addComputeOptions(command)
    .addHelpText(
      'after',
      `${CRITERIA_HELP}

Examples:
  coppice score ./SmolLM2-135M --calibration prose.txt
  coppice score ./SmolLM2-135M --criterion magnitude --norm l2 --json > scores.json
  coppice score ./SmolLM2-135M --criterion greedy --count 6 --keep 0-3,28,29 --calibration rows.json
  coppice score ./SmolLM2-135M --granularity module --calibration prose.txt --remove 10,11`,
    )
    .action(async (path: string, options: ScoreOptions) => {
      exit(await execute({ kind: 'score', options, source: path }, (shell) => score(path, options, shell)));
    });
}

async function score(path: string, options: ScoreOptions, shell: Shell): Promise<Outcome> {
  const start = performance.now();
  const { criterion, granularity, count } = options;
  checkUsage(options);
  const opened = await openForCommand(path, options);
  const { checkpoint, architecture, removed, view, adapter, inputs } = opened;
  const { keep: list } = options;
  const keep = list === undefined ? undefined : asUsage(() => parseBlockList(list, architecture.blocks, '--keep'));
  const scored = await runCriterion(checkpoint, criterion, options, shell.job, {
    ...{ count, view, granularity, adapter },
    ...(keep && { kept: new Set(keep) }),
  });
  for (const warning of scored.warnings) shell.warn(warning);
  const { summary, results, context } = scoreReport(opened, criterion, scored, secondsSince(start));
  return {
    json: summary,
    results,
    page: scorePage(criterion, scored.result, context, shell.style),
    run: detailsOf(checkpoint, options, {
      inputs: [...scored.inputs, ...inputs],
      settings: { criterion, granularity, count, keep, removed: removedJson(removed), ...scored.settings },
      seed: scored.seed,
      device: scored.device,
    }),
  };
}

function checkUsage(options: ScoreOptions): void {
  const { criterion, granularity, count, keep, adapter } = options;
  if (adapter !== undefined && readsWeights(criterion)) {
    throw new UsageError(
      `${criterion} cannot score a model with an adapter on top`,
      'it looks at the weights as they are stored',
      'Merge the adapter first: coppice merge CHECKPOINT --adapter DIR --out DIR.',
    );
  }
  if (granularity === 'module' && criterion !== 'ppl') {
    throw new UsageError(
      `${criterion} cannot score single modules`,
      '--granularity module belongs to the criterion ppl',
      'Add --criterion ppl, or leave --granularity out.',
    );
  }
  if (criterion === 'greedy' && count === undefined) {
    throw new UsageError('greedy needs to know when to stop', '--count is not given', 'Add --count 6.');
  }
  if (criterion !== 'greedy' && count !== undefined) {
    throw new UsageError(
      `${criterion} scores all blocks at once`,
      '--count belongs to the criterion greedy',
      'Leave --count out here and give it to coppice prune.',
    );
  }
  if (criterion !== 'greedy' && keep !== undefined) {
    throw new UsageError(
      `${criterion} scores all blocks, those that stay too`,
      '--keep belongs to the criterion greedy, whose every removal depends on those before it',
      'Leave --keep out here and give it to coppice prune.',
    );
  }
  requireCalibration(criterion, options);
}
