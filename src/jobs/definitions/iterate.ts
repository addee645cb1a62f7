/** Iterative pruning: one block goes, the rest is healed and scored again (Shortened LLaMA §5.2). */
import { objects } from '../../engine/records/fields';
import { HEAL_METHODS } from '../../engine/heal/methods';
import { isClosed, isTrained, ITERATIVE_METHODS } from '../../engine/iterate/methods';
import { command, option, set } from '../../engine/option-token';
import { l10n } from '../../l10n';
import type { IterateEvent } from '../../protocol/iterate';
import { writtenWords } from '../about';
import { type Complete, defineJob, type Fault, events } from '../define';
import { changeFact, measuredOn, numberFact, writtenFacts } from '../facts';
import { choice, file, fileOr, flag, list, whole } from '../option';
import { application } from '../options/application';
import { amount, scoring } from '../options/choosing';
import { compute } from '../options/compute';
import { calibrationFault, CRITERIA_HELP, criterionOrPpl, objective, objectiveFault } from '../options/criterion';
import { healing, healingText } from '../options/healing';
import { keep } from '../options/keep';
import { limits, limitsOf } from '../options/limits';
import { measuredTasks, taskLimit } from '../options/measured-tasks';
import { source } from '../options/model';
import { BLOCKS_ONLY } from '../options/modules';
import { out } from '../options/output';
import {
  blockOptions,
  dataOptions,
  fullOptions,
  heldOutFault,
  loraOptions,
  trainingOptions,
} from '../options/training';
import { window } from '../options/window';
import { iterateResult } from '../results/iterate';

const MEASURING = { group: 'Measuring' } as const;
const CLOSED = { group: 'Closed forms' } as const;

const { merge: _merge, initAdapter: _init, ...lora } = loraOptions;
const { selfTokens, prompt, length: trainingLength, heldOut } = dataOptions;
const { seed: _seed, ...training } = trainingOptions;

const options = {
  ...source,
  out: out('folder of the new checkpoint; it must not exist'),
  resume: flag('continue a run that was stopped; its goal may be another', {
    noun: () => l10n.t('resuming'),
    passing: true,
  }),
  criterion: criterionOrPpl,
  objective,
  ...amount,
  ...limits,
  ...measuredTasks(`with ${option('minAccuracy')}`),
  taskLimit: taskLimit(`with ${option('minAccuracy')} or ${option('maxProbeLoss')}`),
  ...keep,
  method: choice(
    ITERATIVE_METHODS,
    `what heals after each round: lora and full train; refit, fold and scalar are the closed forms of \`${command('heal')}\``,
    { noun: () => l10n.t('the method of healing'), placeholder: 'how', default: 'lora', recorded: true },
  ),
  oneShot: flag('also remove as many blocks at once, with the training of all rounds, for comparison', {
    noun: () => l10n.t('the one-shot removal'),
    recorded: true,
  }),
  oneShotEach: flag('the same for every number of blocks up to it', {
    noun: () => l10n.t('the one-shot removal at every count'),
    recorded: true,
  }),
  application: application(
    'its calibration rows choose, its training or healing rows heal, its judging rows measure',
    'calibration',
    'data',
    'text',
  ),
  ...scoring,
  text: file('measure on a text instead of the calibration rows', { ...MEASURING, noun: () => l10n.t('a text') }),
  window: { ...window(`with ${option('text')}: tokens per window`), ...MEASURING },
  limit: whole(`with ${option('text')}: use only the first n windows`, {
    ...MEASURING,
    noun: () => l10n.t('number of windows'),
  }),
  data: list(
    fileOr(['self'], 'a file of data'),
    `text for healing, as of \`${command('retrain')}\` or \`${command('heal')}\`, or self; repeat it for more files\n` +
      '(default: the calibration text, else self)',
    { noun: () => l10n.t('the healing text'), repeated: true, placeholder: 'file', group: 'Data for healing' },
  ),
  trainLength: { ...trainingLength, group: 'Data for healing' },
  heldOut: { ...heldOut, group: 'Data for healing' },
  selfTokens: { ...selfTokens, group: 'Data for healing' },
  prompt: { ...prompt, group: 'Data for healing' },
  ...lora,
  initAdapter: choice(['formula'], 'start from fixed pseudo-random adapters, the same in every program', {
    noun: () => l10n.t('the adapter to start from'),
    group: 'Adapter (LoRA)',
    placeholder: 'how',
  }),
  ...blockOptions,
  ...training,
  dtype: { ...fullOptions.dtype, group: undefined, help: "type of the new weights (default: the source's)" },
  ridge: { ...healing.ridge, ...CLOSED },
  step: { ...healing.step, recorded: undefined, ...CLOSED },
  stepCut: { ...healing.stepCut, recorded: undefined, ...CLOSED },
  tokens: { ...healingText.tokens, ...CLOSED },
  ...compute,
};

export const iterate = defineJob({
  kind: 'iterate',
  summary: 'remove block after block, and heal after each',
  description:
    'Removes the block that matters least, heals the rest by training or in closed form, scores it again, and goes on until ' +
    `the count, the share or a limit is reached. Training lasts for ${option('steps')} or ${option('epochs')} in each round. The weights go from round to ` +
    `round in float32 and are rounded once at the end. Ctrl-C keeps the finished rounds; ${option('resume')} continues, and ` +
    'with the count that is reached it writes them.',
  notes: CRITERIA_HELP,
  examples: [
    './SmolLM2-135M --calibration prose.txt --count 6 --data alpaca.json --steps 100 --out ./SmolLM2-24',
    './SmolLM2-135M --calibration prose.txt --max-kl 0.5 --method refit --out ./SmolLM2-healed',
    './SmolLM2-135M --criterion taylor --calibration prose.txt --count 4 --one-shot --text test.txt --out ./SmolLM2-26',
  ],
  noun: () => l10n.t('Pruning iteratively'),
  title: (model) => l10n.t('Pruning {0} iteratively', model),
  done: (model) => l10n.t('Pruned {0} iteratively', model),
  icon: 'layers',
  made: { as: 'pruned', icon: 'fold', words: () => l10n.t('pruned in rounds') },
  makes: () => true,
  step: 'iterated',
  about: writtenWords,
  heals: () => true,
  did: () => 'pruned block after block',
  facts: (result) => {
    const rounds = objects(result.rounds);
    return [
      ...writtenFacts(result),
      ...numberFact('rounds', rounds.length, String),
      ...changeFact('perplexity', result.full, rounds.at(-1)?.healed, 'ppl'),
      ...measuredOn(result),
    ];
  },
  options,
  application: (path) => ({ calibration: path, data: [path], text: path, share: 'calibration' }),
  moved: BLOCKS_ONLY,
  check: (given) =>
    goalFault(given) ??
    objectiveFault(given.criterion, given) ??
    calibrationFault(given.criterion, given) ??
    rowsFault(given) ??
    tasksFault(given) ??
    methodFault(given) ??
    closedFormFault(given) ??
    heldOutFault(given),
  result: iterateResult,
  event: events<IterateEvent>(),
});

type IterateOptions = Complete<typeof options>;

function goalFault(given: IterateOptions): Fault | undefined {
  const { count, ratio, targetParams } = given;
  if ((count ?? ratio ?? targetParams) !== undefined || Object.keys(limitsOf(given)).length > 0) return undefined;
  return {
    what: 'it is not clear how much to remove',
    why: `none of ${option('count')}, ${option('ratio')}, ${option('targetParams')} and the limits is given`,
    action: `${set('count', 6, 'add')}, or ${option('maxKl', 0.5)}.`,
  };
}

function rowsFault({ text, calibration: rows }: IterateOptions): Fault | undefined {
  if (text !== undefined || rows !== undefined) return undefined;
  return {
    what: 'There is nothing to measure on',
    why: `neither ${option('calibration')} nor ${option('text')} is given`,
    action: `Add ${option('text', 'FILE')}, or ${option('calibration', 'FILE')} to measure on its rows.`,
  };
}

/** A limit of accuracy needs questions, and questions a limit. */
function tasksFault({ minAccuracy, taskData, tasks, own }: IterateOptions): Fault | undefined {
  if (minAccuracy !== undefined && (taskData ?? own) === undefined) {
    return {
      what: `${option('minAccuracy')} needs questions`,
      why: `neither ${option('taskData')} nor ${option('own')} is given`,
      action: `Add ${option('taskData', 'DIR')} with the files of the tasks, or ${option('own', 'FILE')} with your own.`,
    };
  }
  if (minAccuracy !== undefined || (taskData ?? tasks ?? own) === undefined) return undefined;
  return {
    what: `Tasks need ${option('minAccuracy')}`,
    why: 'without it nothing is asked after the rounds',
    action: `Add ${option('minAccuracy', 0.5)}, or leave them out and use the command tasks.`,
  };
}

/** Options that apply to another method. */
const OF_LORA = ['rank', 'alpha', 'dropout', 'targets', 'initAdapter'] as const;
const OF_TRAINING = [
  'epochs',
  'steps',
  'lr',
  'warmup',
  'evalEvery',
  'patience',
  'where',
  'trainLength',
  'selfTokens',
] as const;
const OF_CLOSED = ['ridge', 'tokens'] as const;

function methodFault(given: IterateOptions): Fault | undefined {
  const { method } = given;
  const isIdle = (name: keyof IterateOptions): boolean => given[name] !== undefined;
  const idle = [
    ...(method === 'lora' ? [] : OF_LORA),
    ...(isTrained(method) ? [] : OF_TRAINING),
    ...(isClosed(method) ? [] : OF_CLOSED),
  ].find(isIdle);
  if (idle === undefined) return undefined;
  const of = OF_LORA.some((name) => name === idle)
    ? 'lora'
    : OF_TRAINING.some((name) => name === idle)
      ? 'lora and full'
      : HEAL_METHODS.join(', ');
  return {
    what: `${option('method', method)} has no use for ${option(idle)}`,
    why: `it belongs to ${of}`,
    action: `Leave it out, or ${set('method', isClosed(method) || method === 'none' ? 'lora' : 'refit')}.`,
  };
}

function closedFormFault({ heldOut: share, method }: IterateOptions): Fault | undefined {
  if (!isClosed(method) || share === undefined || share < 1) return undefined;
  return {
    what: `${option('method', method)} cannot hold out ${share} records`,
    why: 'a closed form holds out a share of its rows, below 1',
    action: `Give a share such as 0.05, or 0.`,
  };
}
