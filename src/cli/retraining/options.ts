/** The options of `coppice retrain`, and what they tell the engine. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { WeightDtype } from '../../engine/formats/dtype';
import { LINEAR_NAMES } from '../../engine/adapter/names';
import { DEFAULTS, type RetrainSettings } from '../../engine/retrain/settings';
import type { LinearName } from '../../engine/checkpoint/architecture';
import { UsageError } from '../failure';
import {
  addComputeOptions,
  type ComputeOptions,
  parseCount,
  parseFraction,
  parsePositive,
  parseSeed,
} from '../options';
import { removeOption } from '../options';

const DTYPES = { f32: 'F32', bf16: 'BF16', f16: 'F16' } as const satisfies Record<string, WeightDtype>;
const SELF = 'self';

export interface RetrainOptions extends ComputeOptions {
  readonly data: readonly string[];
  readonly out: string;
  readonly remove?: readonly (number | string)[];
  readonly full?: true;
  readonly init?: 'random';
  readonly rank?: number;
  readonly alpha?: number;
  readonly dropout?: number;
  readonly targets?: readonly LinearName[];
  readonly initAdapter?: string;
  readonly merge?: true;
  readonly dtype?: keyof typeof DTYPES;
  readonly teacher?: string;
  readonly teacherWeight?: number;
  readonly selfTokens?: number;
  readonly prompt?: 'alpaca' | 'plain';
  readonly length?: number;
  readonly heldOut?: number;
  readonly seed?: number;
  readonly lr?: number;
  readonly batch?: number;
  readonly accumulate?: number;
  readonly epochs?: number;
  readonly steps?: number;
  readonly warmup?: number;
  readonly clip?: number;
  readonly weightDecay?: number;
  readonly betas?: readonly [number, number];
  readonly evalEvery?: number;
  readonly saveEvery?: number;
  readonly patience?: number;
  readonly resume?: true;
}

export function addRetrainOptions(command: Command): Command {
  const { full, lora } = DEFAULTS;
  command
    .requiredOption(
      '--data <file>',
      'text, JSONL or JSON with "instruction" and "output", "messages" or "text"; again for more files;\n' +
        'or self: the unpruned model writes the text',
      collect,
    )
    .requiredOption('--out <dir>', 'folder to write; it must not exist')
    .addOption(removeOption())
    .option('--resume', 'go on with a run that was stopped')
    .optionsGroup('Adapter (LoRA):')
    .option('--rank <r>', `rank (default: ${DEFAULTS.rank})`, parseCount)
    .option('--alpha <a>', `α; what is added is (α/r) B A (default: ${DEFAULTS.alpha})`, parsePositive)
    .option('--dropout <p>', `share of the adapters' inputs to drop (default: ${DEFAULTS.dropout})`, parseShare)
    .option('--targets <list>', `Linears to adapt (default: ${LINEAR_NAMES.join(',')})`, parseTargets)
    .option('--init-adapter <dir>', 'start from an adapter; or "formula", the same start in every program')
    .option('--merge', 'write the merged checkpoint instead of the adapter')
    .optionsGroup('Every weight:')
    .option('--full', 'train every weight (continued pre-training) and write a checkpoint')
    .addOption(new Option('--init <how>', 'random: train from scratch').choices(['random']))
    .addOption(
      new Option('--dtype <name>', "type of a written checkpoint's weights (default: the source's)").choices(
        Object.keys(DTYPES),
      ),
    )
    .optionsGroup('Distillation and data:')
    .option('--teacher <checkpoint>', 'draw the distribution over the next token to that of this model')
    .option('--teacher-weight <w>', "the teacher's share of the loss (default: 0.5)", parseFraction(false))
    .option('--self-tokens <n>', `--data self: tokens to write (default: ${DEFAULTS.selfTokens})`, parseCount)
    .addOption(
      new Option('--prompt <style>', 'how instructions are written').choices(['alpaca', 'plain']).default('alpaca'),
    )
    .option('--length <n>', `tokens of a row at most (default: ${DEFAULTS.length})`, parseCount)
    .option(
      '--held-out <n>',
      'records kept for validation: a number, or a share below 1 (default: a twentieth, 64 at most)',
      parseAmount,
    )
    .optionsGroup('Training:')
    .option('--epochs <n>', `passes over the data (default: ${DEFAULTS.epochs})`, parsePositive)
    .addOption(new Option('--steps <n>', 'steps instead').argParser(parseCount).conflicts('epochs'))
    .option('--batch <n>', `rows of a batch (default: ${DEFAULTS.batch}, fewer for few data)`, parseCount)
    .option('--accumulate <n>', 'batches of a step; all their rows form one mean', parseCount)
    .option(
      '--lr <rate>',
      `peak of the learning rate (default: ${lora.learningRate}; ${full.learningRate} with --full)`,
      parsePositive,
    )
    .option('--warmup <n>', `steps of warm-up (default: ${DEFAULTS.warmup}, a tenth of a short run)`, parseSeed)
    .option('--clip <norm>', `limit of the gradient's norm (default: ${DEFAULTS.clip})`, parsePositive)
    .option('--weight-decay <d>', `decay (default: ${lora.weightDecay}; ${full.weightDecay} with --full)`, parseAmount)
    .option(
      '--betas <b1,b2>',
      `decay rates of the moments (default: ${lora.betas.join()}; ${full.betas.join()} with --full)`,
      parseBetas,
    )
    .option('--eval-every <n>', 'steps between looks at the held-out part (64 of its rows at most)', parseCount)
    .option('--save-every <n>', 'steps between saved states', parseCount)
    .option('--patience <n>', 'stop after so many looks without a better loss', parseCount)
    .option('--seed <n>', `of everything that is drawn (default: ${DEFAULTS.seed})`, parseSeed)
    .optionsGroup('Options:');
  return addComputeOptions(command);
}

/** @throws UsageError for options that do not go together */
export function settingsOf(options: RetrainOptions): RetrainSettings {
  checkTogether(options);
  const { data, dtype, lr, full, init, rank, alpha, dropout, targets, initAdapter, memory } = options;
  return {
    method: full
      ? { kind: 'full', start: init ?? 'checkpoint', memory }
      : { kind: 'lora', rank, alpha, dropout, targets, start: initAdapter },
    ...options,
    data: data.includes(SELF) ? SELF : data,
    dtype: dtype && DTYPES[dtype],
    learningRate: lr,
  };
}

function checkTogether(options: RetrainOptions): void {
  const { full, init, merge, dtype, data, selfTokens, teacher, teacherWeight } = options;
  const refuse = (what: string, why: string, action: string): never => {
    throw new UsageError(what, why, action);
  };
  if (full) {
    const { rank, alpha, dropout, targets, initAdapter } = options;
    const lora = Object.entries({ rank, alpha, dropout, targets, 'init-adapter': initAdapter, merge });
    const [name] = lora.find(([, value]) => value !== undefined) ?? [];
    if (name) refuse(`--${name} and --full exclude each other`, `--${name} belongs to an adapter`, 'Leave one out.');
  } else {
    if (init) refuse('--init needs --full', 'an adapter has no weights of its own to start from', 'Add --full.');
    if (dtype && !merge) {
      refuse('--dtype needs --merge or --full', 'an adapter is always written as float32', 'Leave --dtype out.');
    }
  }
  const { heldOut, patience, evalEvery } = options;
  if (heldOut === 0 && (patience ?? evalEvery) !== undefined) {
    const name = patience === undefined ? '--eval-every' : '--patience';
    refuse(`${name} needs something held out`, '--held-out is 0', `Leave ${name} out, or hold some records out.`);
  }
  if (data.includes(SELF) && data.length > 1) {
    refuse('--data self stands alone', 'other data are named too', 'Use either the files or self.');
  }
  if (selfTokens !== undefined && !data.includes(SELF)) {
    refuse('--self-tokens belongs to --data self', 'the data are files', 'Leave --self-tokens out.');
  }
  if (teacherWeight !== undefined && teacher === undefined) {
    refuse('--teacher-weight needs a teacher', '--teacher is not given', 'Add --teacher CHECKPOINT.');
  }
}

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** A number of at least 0. */
function parseAmount(text: string): number {
  return Number(text) === 0 && text.trim() !== '' ? 0 : parsePositive(text);
}

/** 0 ≤ p < 1. */
function parseShare(text: string): number {
  return Number(text) === 0 && text.trim() !== '' ? 0 : parseFraction(true)(text);
}

function parseBetas(text: string): [number, number] {
  const betas = text.split(',').map(parseShare);
  if (betas.length !== 2) throw new InvalidArgumentError('It must be two numbers such as 0.9,0.999.');
  return [betas[0], betas[1]];
}

function parseTargets(text: string): LinearName[] {
  return text.split(',').map((part) => {
    const name = LINEAR_NAMES.find((linear) => linear === part.trim().replace(/_proj$/, ''));
    if (!name) throw new InvalidArgumentError(`It must be some of ${LINEAR_NAMES.join(',')}.`);
    return name;
  });
}
