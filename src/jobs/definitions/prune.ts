/** Writes a checkpoint without some blocks. */
import { needsCalibration } from '../../engine/importance/criteria';
import type { Choice } from '../../engine/importance/choice';
import { command, option, set, value } from '../../engine/option-token';
import { l10n } from '../../l10n';
import { writtenWords } from '../about';
import { type Complete, defineJob, excluding, type Fault } from '../define';
import { blocks, data, file, fileOr, flag, folder, list, whole } from '../option';
import { application } from '../options/application';
import { amount, scoring } from '../options/choosing';
import { compute } from '../options/compute';
import { calibrationFault, CRITERIA_HELP, criterion, objective, objectiveFault } from '../options/criterion';
import { healing, healingText } from '../options/healing';
import { keep } from '../options/keep';
import { maxKl } from '../options/limits';
import { source } from '../options/model';
import { granularity, moduleCost, modulesFault, unwritableFault } from '../options/modules';
import { pruneResult } from '../results/prune';

const HEALING = { group: 'Healing' } as const;

const options = {
  ...source,
  blocks: blocks(`remove exactly these blocks: ${value('blocks', '10,12-14')}`, {
    noun: () => l10n.t('the plan'),
    conflicts: ['count', 'ratio', 'targetParams'],
  }),
  choice: data<Choice>('how the blocks were chosen, for the record and the model card (default: by hand)'),
  out: folder('folder of the new checkpoint; it must not exist', {
    writes: true,
    usual: 'always',
    noun: () => l10n.t('output folder'),
  }),
  dryRun: flag('choose the blocks and say what would be written, and write nothing', {
    conflicts: ['out', 'mergekit', 'llamaCpp', 'heal', 'rounds'],
  }),
  scores: file(`scores to choose by: a record, or the output of \`${command('score', '--json')}\``, {
    noun: () => l10n.t('the scores'),
    conflicts: ['criterion', 'blocks'],
  }),
  criterion: excluding(criterion, 'blocks'),
  objective: excluding(objective, 'blocks', 'scores'),
  ...amount,
  maxKl: {
    ...maxKl,
    noun: () => l10n.t('the limit on KL divergence'),
    conflicts: ['blocks', 'count', 'ratio', 'targetParams', 'rounds'],
  },
  granularity,
  cost: moduleCost,
  ...keep,
  mergekit: file('also write the removal as a mergekit configuration', { writes: true }),
  llamaCpp: file('also write the removal as a llama-quantize --prune-layers command', { writes: true }),
  application: application('its calibration rows choose, its healing rows heal', 'calibration', 'data'),
  ...scoring,
  heal: flag(`then correct the weights of the other blocks in closed form, as \`${command('heal')}\` does`, {
    noun: () => l10n.t('healing'),
    ...HEALING,
  }),
  rounds: whole(`remove in this many rounds, and heal and score again after each; includes ${option('heal')}`, {
    noun: () => l10n.t('rounds'),
    ...HEALING,
    conflicts: ['blocks', 'scores'],
  }),
  method: { ...healing.method, recorded: undefined, ...HEALING },
  ridge: { ...healing.ridge, ...HEALING },
  step: { ...healing.step, ...HEALING },
  stepCut: { ...healing.stepCut, ...HEALING },
  data: list(
    fileOr(['self'], 'a file of data'),
    `text for healing, as of \`${command('heal')}\`, or self; repeat it for more files (default: the calibration text, else self)`,
    { noun: () => l10n.t('the healing text'), repeated: true, placeholder: 'file', ...HEALING },
  ),
  tokens: { ...healingText.tokens, ...HEALING },
  heldOut: { ...healingText.heldOut, ...HEALING },
  ...compute,
};

export const prune = defineJob({
  kind: 'prune',
  summary: 'write a checkpoint without its least important blocks',
  description:
    `Writes a new checkpoint without some blocks. Choose them with ${option('scores')} or ${option('criterion')} and one of ${option('count')}, ${option('ratio')}, ` +
    `${option('targetParams')}, ${option('maxKl')}; or name them with ${option('blocks')}. Keeps the first four blocks and the last two unless ${option('keepEnds', false)} is given. ` +
    'The source never changes. The new checkpoint has the record of the run, coppice.json.',
  notes: CRITERIA_HELP,
  examples: [
    './SmolLM2-135M --scores scores.json --count 6 --out ./SmolLM2-24',
    './SmolLM2-135M --criterion magnitude --ratio 0.2 --out ./SmolLM2-20',
    './SmolLM2-135M --criterion ppl --calibration prose.txt --count 6 --out ./SmolLM2-24',
    './SmolLM2-135M --criterion ppl --calibration prose.txt --count 6 --rounds 3 --out ./SmolLM2-24-healed',
    './SmolLM2-135M --blocks 10,12-14 --out ./SmolLM2-26 --mergekit recipe.yaml',
    './SmolLM2-135M --criterion greedy --objective kl --granularity module --ratio 0.1 --calibration prose.txt --dry-run',
  ],
  noun: () => l10n.t('Pruning'),
  title: (model) => l10n.t('Pruning {0}', model),
  done: (model) => l10n.t('Pruned {0}', model),
  icon: 'save-as',
  made: { as: 'pruned', icon: 'fold', words: () => l10n.t('pruned') },
  makes: () => true,
  step: 'pruned',
  about: writtenWords,
  heals: ({ heal, rounds }) => (heal ?? rounds) !== undefined,
  did: ({ healed, heldOut }) => (healed === undefined && heldOut === undefined ? '' : 'healed'),
  options,
  application: (path, { heal: heals, rounds }) => ({
    calibration: path,
    share: 'calibration',
    ...((heals === true || rounds !== undefined) && { data: [path] }),
  }),
  moved: { iterative: 'iterate' },
  check: (given) =>
    partsFault(given) ??
    placeFault(given) ??
    (given.blocks === undefined ? selectionFault(given) : undefined) ??
    modulesFault(given) ??
    healingFault(given),
  result: pruneResult,
});

/** Options that name or take whole blocks. */
const OF_BLOCKS = ['blocks', 'scores'] as const;

/** The error if attention and FFN are chosen apart where that is of no use. */
function partsFault(given: Complete<typeof options>): Fault | undefined {
  if (given.granularity !== 'module') return undefined;
  if (!given.dryRun) return unwritableFault;
  const other = OF_BLOCKS.find((name) => given[name] !== undefined);
  if (other === undefined) return undefined;
  return {
    what: `${option('granularity', 'module')} cannot be used with ${option(other)}`,
    why: other === 'blocks' ? 'these are whole blocks already' : 'scores of a file choose whole blocks',
    action: `Choose by a criterion: ${set('criterion', 'greedy')}.`,
  };
}

/** The error if there is no place for the new checkpoint. */
function placeFault({ out, dryRun }: Complete<typeof options>): Fault | undefined {
  if (out !== undefined || dryRun) return undefined;
  return {
    what: `prune needs ${option('out')}`,
    why: 'it is not given',
    action: `Add ${option('out', 'DIR')}; or ${set('dryRun', true, 'add')}, which writes nothing.`,
  };
}

/** The error if the options do not say what to remove, or how much. */
function selectionFault(given: Complete<typeof options>): Fault | undefined {
  const { scores, criterion: by, count, ratio, targetParams, maxKl: limit, calibration: rows } = given;
  if (scores === undefined && by === undefined) {
    return {
      what: 'it is not clear which blocks to remove',
      why: `none of ${option('scores')}, ${option('criterion')} and ${option('blocks')} is given`,
      action: `${set('criterion', 'ppl', 'add')} and ${option('calibration', 'FILE')}, or another of these.`,
    };
  }
  if ((count ?? ratio ?? targetParams ?? limit) === undefined) {
    return {
      what: 'it is not clear how much to remove',
      why: `none of ${option('count')}, ${option('ratio')}, ${option('targetParams')} and ${option('maxKl')} is given`,
      action: `${set('count', 6, 'add')}, or another of these.`,
    };
  }
  if (limit !== undefined && rows === undefined) {
    return {
      what: `${option('maxKl')} needs a calibration text`,
      why: `${option('calibration')} is not given, on which KL divergence is measured`,
      action: `Add ${option('calibration', 'FILE')}.`,
    };
  }
  return by && (objectiveFault(by, given) ?? calibrationFault(by, given));
}

/** Criteria that choose all blocks together, so that a part of their choice means nothing. */
const TOGETHER: readonly string[] = ['angular', 'search', 'energy'];

function healingFault(given: Complete<typeof options>): Fault | undefined {
  const { heal, rounds, criterion: by } = given;
  if (rounds !== undefined && rounds > 1 && by && (!needsCalibration(by) || TOGETHER.includes(by))) {
    return {
      what: `${option('criterion', by)} cannot choose in rounds`,
      why: TOGETHER.includes(by)
        ? 'it chooses all blocks together'
        : 'it does not run the model, so healing changes nothing',
      action: `${set('criterion', 'ppl')}, or leave ${option('rounds')} out.`,
    };
  }
  if (heal || rounds !== undefined) return undefined;
  const idle = (['data', 'tokens', 'ridge'] as const).find((name) => given[name] !== undefined);
  if (idle === undefined) return undefined;
  return {
    what: `${option(idle)} needs ${option('heal')}`,
    why: 'without healing it has no effect',
    action: `${set('heal', true, 'add')}, or leave it out.`,
  };
}
