/** Options of a retraining, in the groups of its help. */
import { option, value } from '../../engine/option-token';
import { FUSED_TARGETS, LINEAR_NAMES, TARGET_NAMES } from '../../engine/adapter/names';
import { DEFAULTS } from '../../engine/retrain/defaults';
import { WHERE } from '../../engine/retrain/where';
import type { Fault } from '../define';
import { amount, checkpoint, choice, flag, folderOr, list, positive, rate, seed, share, whole } from '../option';
import { dtype } from './output';
import { l10n } from '../../l10n';

const { full, lora } = DEFAULTS;

/** Options that watch held-out records, where none are held out. */
export function heldOutFault({
  heldOut,
  patience,
  evalEvery,
}: Readonly<Partial<Record<'heldOut' | 'patience' | 'evalEvery', number>>>): Fault | undefined {
  if (heldOut !== 0 || (patience ?? evalEvery) === undefined) return undefined;
  const name = option(patience === undefined ? 'evalEvery' : 'patience');
  return {
    what: `${name} needs held-out records`,
    why: `${option('heldOut')} is 0`,
    action: `Leave ${name} out, or hold some records out.`,
  };
}

const LORA = { group: 'Adapter (LoRA)' } as const;
const FULL = { group: 'Every weight' } as const;
const WHICH = { group: 'Blocks to train' } as const;
const DATA = { group: 'Distillation and data' } as const;
const TRAINING = { group: 'Training' } as const;

/** PEFT's names of the Linears are accepted too. */
const TARGETS = [...TARGET_NAMES, ...TARGET_NAMES.map((name) => `${name}_proj` as const)];

export const loraOptions = {
  rank: whole(`rank (default: ${DEFAULTS.rank})`, { noun: () => l10n.t('rank'), ...LORA, placeholder: 'r' }),
  alpha: positive(`α; the adapter adds (α/r) B A (default: ${DEFAULTS.alpha})`, {
    noun: () => l10n.t('α'),
    ...LORA,
    placeholder: 'a',
  }),
  dropout: rate(`share of the adapters' inputs to drop (default: ${DEFAULTS.dropout})`, {
    noun: () => l10n.t('dropout'),
    ...LORA,
    placeholder: 'p',
  }),
  targets: list(
    choice(TARGETS, 'a Linear'),
    `Linears to adapt (default: all, ${LINEAR_NAMES.join()}; of Phi-3 ${FUSED_TARGETS.join()})`,
    {
      noun: () => l10n.t('target matrices'),
      ...LORA,
      expected: `some of ${LINEAR_NAMES.join()}, or for Phi-3 of ${FUSED_TARGETS.join()}`,
    },
  ),
  initAdapter: folderOr(['formula'], 'start from an adapter; or "formula": the same initial values in every program', {
    noun: () => l10n.t('the adapter to start from'),
    ...LORA,
    placeholder: 'dir',
  }),
  merge: flag('write the merged checkpoint instead of the adapter', { ...LORA, noun: () => l10n.t('merging') }),
};

export const fullOptions = {
  full: flag('train every weight (continued pre-training) and write a checkpoint', {
    ...FULL,
    noun: () => l10n.t('full training'),
  }),
  init: choice(['random'], 'random: train from scratch', {
    noun: () => l10n.t('random start'),
    ...FULL,
    placeholder: 'how',
  }),
  dtype: { ...dtype, ...FULL, help: "type of a written checkpoint's weights (default: the source's)" },
};

export const blockOptions = {
  where: choice(
    WHERE,
    'all: every kept block; cuts: the kept blocks right before and right after each cut; last3: the last three\n' +
      `(default: all, or those of ${option('initAdapter')}); of a pruned checkpoint, its record coppice.json tells the cuts`,
    { noun: () => l10n.t('the blocks to train'), ...WHICH, placeholder: 'which' },
  ),
};

export const dataOptions = {
  teacher: checkpoint('distil from this model (KL divergence of the next-token distributions)', {
    ...DATA,
    noun: () => l10n.t('a teacher'),
  }),
  teacherWeight: share(
    `the teacher's share of the loss (default: ${DEFAULTS.teacherWeight}; ${DEFAULTS.ownTeacherWeight} on text that the original writes)`,
    {
      noun: () => l10n.t('weight of the teacher'),
      ...DATA,
      placeholder: 'w',
    },
  ),
  hiddenWeight: amount(
    "also pull the state before the last block towards the teacher's there: this times 1 − cosine (default: 0)",
    { ...DATA, noun: () => l10n.t('weight of the hidden states'), placeholder: 'w' },
  ),
  selfTokens: whole(`${option('data', 'self')}: tokens to write (default: ${DEFAULTS.selfTokens})`, {
    ...DATA,
    noun: () => l10n.t('tokens of its own text'),
  }),
  prompt: choice(['alpaca', 'plain'], 'how instructions are written', {
    noun: () => l10n.t('the prompt'),
    ...DATA,
    placeholder: 'style',
    default: 'alpaca',
  }),
  length: whole(`maximum tokens per row (default: ${DEFAULTS.length})`, { ...DATA, noun: () => l10n.t('row length') }),
  heldOut: amount('records kept for validation: a number, or a share below 1 (default: a twentieth, at most 64)', {
    ...DATA,
    noun: () => l10n.t('held-out records'),
  }),
};

export const trainingOptions = {
  epochs: positive(`passes over the data (default: ${DEFAULTS.epochs})`, { ...TRAINING, noun: () => l10n.t('epochs') }),
  steps: whole('number of steps, instead of epochs', {
    noun: () => l10n.t('steps'),
    ...TRAINING,
    conflicts: ['epochs'],
  }),
  batch: whole(`rows per batch (default: ${DEFAULTS.batch}, fewer for little data)`, TRAINING),
  accumulate: whole('batches per step; the loss is the mean over all their rows', TRAINING),
  lr: positive(`peak learning rate (default: ${lora.learningRate}; ${full.learningRate} with ${option('full')})`, {
    noun: () => l10n.t('learning rate'),
    ...TRAINING,
    placeholder: 'rate',
  }),
  warmup: seed(`steps of warm-up (default: ${DEFAULTS.warmup}, a tenth of a short run)`, {
    ...TRAINING,
    noun: () => l10n.t('warm-up'),
  }),
  clip: positive(`maximum norm of the gradient (default: ${DEFAULTS.clip})`, { ...TRAINING, placeholder: 'norm' }),
  weightDecay: amount(`weight decay (default: ${lora.weightDecay}; ${full.weightDecay} with ${option('full')})`, {
    ...TRAINING,
    placeholder: 'd',
  }),
  betas: list(
    rate('a decay rate'),
    `decay rates of the moments (default: ${value('numbers', lora.betas.join())}; ${value('numbers', full.betas.join())} with ${option('full')})`,
    {
      ...TRAINING,
      placeholder: 'b1,b2',
      length: 2,
      expected: 'two numbers of at least 0 and below 1, such as 0.9,0.999',
    },
  ),
  evalEvery: whole('steps between evaluations of the held-out part (at most 64 of its rows)', {
    ...TRAINING,
    noun: () => l10n.t('steps between evaluations'),
  }),
  saveEvery: whole('steps between saved states', TRAINING),
  patience: whole('stop after this many evaluations without a better loss', {
    ...TRAINING,
    noun: () => l10n.t('patience'),
  }),
  seed: seed(`random seed of the run (default: ${DEFAULTS.seed})`, TRAINING),
};
