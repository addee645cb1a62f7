/** Importance of every block, by one of the criteria. Only those that choose blocks use the keep-list. */
import { objects } from '../../engine/records/fields';
import { criterionInfo, CRITERION_LIST, isSized, readsWeights } from '../../engine/importance/criteria';
import { command, option, set, value } from '../../engine/option-token';
import { isObject, type JsonObject } from '../../format/json';
import { formatPercent } from '../../format/numbers';
import { l10n } from '../../l10n';
import { joined, leastOf } from '../about';
import { type Complete, defineJob, type Fault } from '../define';
import { blockList, field, numberFact, type Fact } from '../facts';
import { blocks, list, part, whole } from '../option';
import { application } from '../options/application';
import { scoring } from '../options/choosing';
import { compute } from '../options/compute';
import { calibrationFault, CRITERIA_HELP, criterionOrPpl, objective, objectiveFault } from '../options/criterion';
import { keep as keepBlocks } from '../options/keep';
import { maxKl } from '../options/limits';
import { granularityOrBlock, moduleCost, modulesFault } from '../options/modules';
import { precisionOption } from '../options/precision';
import { adapter, healed, remove, source, width } from '../options/model';
import { scoreResult } from '../results/score';

const named = (list: readonly { readonly name: string }[]): string => list.map(({ name }) => name).join(', ');
/** Criteria that choose a number of blocks. */
const SIZED = named(CRITERION_LIST.filter(({ name }) => isSized(name)));

const options = {
  ...source,
  criterion: criterionOrPpl,
  objective,
  application: application('its calibration rows', 'calibration'),
  ...scoring,
  granularity: granularityOrBlock,
  cost: moduleCost,
  count: whole(`${SIZED}: number of blocks to remove; by module, as much as so many blocks save`, {
    noun: () => l10n.t('the count'),
    recorded: true,
  }),
  precision: precisionOption(
    'auto: ppl, kl and greedy on the CPU look at all blocks in int8 and compute in float32 what decides; energy ranks ' +
      'in int8; ' +
      'int8: that alone; float16: on a GPU; bfloat16: on the CPU (Linux on arm64)',
  ),
  exact: whole('ppl, kl: how many of the least important parts are certain and in float32 (default: a third)', {
    noun: () => l10n.t('the number of exact scores'),
    recorded: true,
  }),
  keep: blocks(`${SIZED}: blocks that must not be removed: ${value('blocks', '0-3,28')}`, {
    setting: 'coppice.keep',
    recorded: true,
  }),
  maxKl: {
    ...maxKl,
    help:
      'also say how many of the least important blocks keep the mean KL divergence from the original below this, in nats; ' +
      'by module, greedy and healed remove as long as it stays below this',
  },
  ratios: list(
    part('a share'),
    `also say which of the least important parts are at most these shares of all parameters: ${value('numbers', '0.2,0.35')}`,
    { noun: () => l10n.t('the shares'), placeholder: 'list' },
  ),
  keepEnds: {
    ...keepBlocks.keepEnds,
    help: `with ${option('maxKl')} or ${option('ratios')}: also count the first four blocks and the last two`,
  },
  ...remove,
  ...width,
  ...healed,
  ...adapter,
  ...compute,
};

export const score = defineJob({
  kind: 'score',
  summary: 'score how much each block matters',
  description: 'Scores every Transformer block. A block with a lower score matters less.',
  notes: CRITERIA_HELP,
  examples: [
    './SmolLM2-135M --calibration prose.txt',
    './SmolLM2-135M --criterion magnitude --norm l2 --json > scores.json',
    './SmolLM2-135M --criterion greedy --count 6 --keep 0-3,28,29 --calibration rows.json',
    './SmolLM2-135M --criterion greedy --objective kl --count 6 --calibration rows.json',
    './SmolLM2-135M --criterion search --count 6 --budget 300 --calibration prose.txt',
    './SmolLM2-135M --granularity module --calibration prose.txt --remove 10,11',
    './SmolLM2-135M --criterion greedy --objective kl --granularity module --count 3 --calibration prose.txt',
    './SmolLM2-135M --criterion greedy --objective kl --granularity module --max-kl 0.5 --calibration prose.txt',
  ],
  noun: () => l10n.t('Scoring'),
  title: (model, { criterion: by }) =>
    by === undefined ? l10n.t('Scoring {0}', model) : l10n.t('Scoring {0} by {1}', model, by),
  done: (model, { criterion: by }) =>
    by === undefined ? l10n.t('Scored {0}', model) : l10n.t('Scored {0} by {1}', model, by),
  icon: 'pulse',
  step: 'scores',
  about: ({ criterion: by, order }) => joined(String(by), leastOf(order)),
  givesScores: true,
  facts: (result) => [
    ...numberFact('perplexity of the original', field(result.full, 'ppl')),
    ...leastImportant(result.order),
    ...sharesOf(result.shares),
    ...calibrationOf(result),
  ],
  options,
  application: (path) => ({ calibration: path, share: 'calibration' }),
  check: (given) =>
    adapterFault(given) ??
    modulesFault(given) ??
    scopeFault(given) ??
    sharesFault(given) ??
    precisionFault(given) ??
    objectiveFault(given.criterion, given) ??
    calibrationFault(given.criterion, given),
  result: scoreResult,
});

type ScoreOptions = Complete<typeof options>;

function adapterFault({ criterion: by, adapter: folder }: ScoreOptions): Fault | undefined {
  if (folder === undefined || !readsWeights(by)) return undefined;
  return {
    what: `${by} cannot score a model with an adapter`,
    why: 'it reads the stored weights, which have no adapter',
    action: `Merge the adapter first: ${command('merge', 'CHECKPOINT', option('adapter', 'DIR'), option('out', 'DIR'))}.`,
  };
}

/** Checks the precision, which not every criterion can choose. */
function precisionFault({ criterion: by, precision, exact }: ScoreOptions): Fault | undefined {
  const otherwise = `Leave out ${option('precision')}, or ${set('precision', 'float32')}.`;
  if (precision === 'int4') {
    return {
      what: 'scores are not computed in int4',
      why: 'int8 is faster where many tokens are computed at once, and nearer to float32',
      action: otherwise,
    };
  }
  if (exact === undefined) return undefined;
  if (!criterionInfo(by).screens || isSized(by)) {
    return {
      what: `${by} takes no ${option('exact')}`,
      why: isSized(by) ? 'what it removes is exact in any case' : 'all its scores are exact',
      action: `Leave ${option('exact')} out.`,
    };
  }
  if (precision === 'auto') return undefined;
  return {
    what: `${option('exact')} cannot be used with ${option('precision', precision)}`,
    why: precision === 'int8' ? 'no score is exact then' : 'all scores are computed alike then',
    action: `Leave out ${option('precision')} or ${option('exact')}.`,
  };
}

/** Shares are of the whole model, and a criterion that is told a number has chosen already. */
function sharesFault({ criterion: by, ratios, remove: parts }: ScoreOptions): Fault | undefined {
  if (ratios === undefined || (!isSized(by) && by !== 'angular' && parts === undefined)) return undefined;
  return {
    what: `${option('ratios')} cannot be used here`,
    why: parts === undefined ? `${by} chooses one number of blocks` : 'something is left out already',
    action: parts === undefined ? `${set('criterion', 'ppl')}, or another one.` : `Leave ${option('remove')} out.`,
  };
}

/** Checks options that apply to one criterion only. */
function scopeFault({
  criterion: by,
  granularity,
  count,
  keep,
  maxKl: limit,
  ratios,
  calibration: rows,
}: ScoreOptions): Fault | undefined {
  if (limit !== undefined && rows === undefined) {
    return {
      what: `${option('maxKl')} cannot be used here`,
      why: `${option('calibration')} is not given, on which it is measured`,
      action: `Add ${option('calibration', 'FILE')}.`,
    };
  }
  if (isSized(by) && count === undefined && !(limit !== undefined && granularity === 'module')) {
    return {
      what: `${by} needs a number of blocks`,
      why: `${option('count')} is not given`,
      action: `${set('count', 6, 'add')}, or another number of blocks.`,
    };
  }
  if (!isSized(by) && count !== undefined) {
    return {
      what: `${by} scores all blocks at once`,
      why: `${option('count')} belongs to ${SIZED}`,
      action: `Leave ${option('count')} out here and use it when you prune.`,
    };
  }
  if (!isSized(by) && keep !== undefined && limit === undefined && ratios === undefined) {
    return {
      what: `${by} scores all blocks, also the kept ones`,
      why: `${option('keep')} belongs to ${SIZED}, which choose blocks that depend on each other`,
      action: `Leave ${option('keep')} out here and use it when you prune.`,
    };
  }
  return undefined;
}

function leastImportant(order: unknown): Fact[] {
  if (!Array.isArray(order) || order.length === 0) return [];
  const names = order
    .slice(0, 8)
    .map((part: unknown) => (isObject(part) ? `${String(part.block)}.${String(part.part)}` : String(part)));
  return [['least important first', `${names.join(', ')}${order.length > names.length ? ' …' : ''}`]];
}

const sharesOf = (shares: unknown): Fact[] =>
  objects(shares).flatMap(({ ratio, removed }) =>
    typeof ratio === 'number' && Array.isArray(removed)
      ? [[`at most ${formatPercent(ratio)}`, blockList(removed)]]
      : [],
  );

function calibrationOf({ calibration: rows, precision }: JsonObject): Fact[] {
  const { source: text, samples, length } = isObject(rows) ? rows : {};
  if (typeof text !== 'string') return [];
  const words = [
    text,
    `${String(samples)} × ${String(length)} tokens`,
    ...(typeof precision === 'string' ? [precision] : []),
  ];
  return [['calibration', words.join(', ')]];
}
