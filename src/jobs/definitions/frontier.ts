/** Blocks or bits: perplexity against the size of the file, measured for types × numbers of removed blocks. */
import { FRONTIER_TYPES } from '../../engine/evaluate/frontier';
import { criterionInfo } from '../../engine/importance/criteria';
import { command, option, set, value } from '../../engine/option-token';
import { objects } from '../../engine/records/fields';
import { GGUF_TYPES } from '../../engine/write/gguf/kinds';
import { formatBytes, shortNumber } from '../../format/numbers';
import { isObject } from '../../format/json';
import { l10n } from '../../l10n';
import { countedIn, joined } from '../about';
import { type Complete, defineJob, excluding, type Fault } from '../define';
import { field, measuredOn, numberFact } from '../facts';
import { bytes, choice, file, fileOr, flag, list, whole } from '../option';
import { application } from '../options/application';
import { begin } from '../options/bos';
import { calibration } from '../options/calibration';
import { compute } from '../options/compute';
import {
  calibrationFault,
  CRITERIA_HELP,
  criterionOrPpl,
  magnitude,
  objective,
  objectiveFault,
} from '../options/criterion';
import { healing, healingText } from '../options/healing';
import { keep } from '../options/keep';
import { source } from '../options/model';
import { BLOCKS_ONLY } from '../options/modules';
import { window } from '../options/window';
import { frontierResult } from '../results/frontier';

const HEALING = { group: 'Healing' } as const;

const options = {
  ...source,
  fit: bytes(
    `find the best file of at most this size: ${value('bytes', '100MB')}; without ${option('counts')} it measures every type, and each ` +
      'without as few blocks as are needed',
    { noun: () => l10n.t('the size'), placeholder: 'size' },
  ),
  types: list(choice(GGUF_TYPES, 'a type'), `types of GGUF (default: ${FRONTIER_TYPES.join(',')})`, {
    noun: () => l10n.t('the types'),
    placeholder: 'list',
    expected: `names of types separated by commas: ${GGUF_TYPES.join(', ')}`,
  }),
  counts: list(
    whole('a number of blocks', { min: 0 }),
    'numbers of removed blocks; every type is measured without each (default: 0, a tenth, a fifth, three tenths)',
    { noun: () => l10n.t('the numbers of blocks'), placeholder: 'list' },
  ),
  application: application(
    'its calibration rows choose, its healing rows heal, its judging rows measure',
    'calibration',
    'data',
    'text',
  ),
  text: file('the text that every file is measured on', { noun: () => l10n.t('a text') }),
  window: window('tokens per window'),
  limit: whole('use only the first n windows', { noun: () => l10n.t('number of windows') }),
  scores: file(`use the order of these scores: a record, or the output of \`${command('score', '--json')}\``, {
    noun: () => l10n.t('the scores'),
  }),
  criterion: criterionOrPpl,
  objective: excluding(objective, 'scores'),
  ...keep,
  ...calibration,
  ...begin,
  ...magnitude,
  imatrix: flag(
    `round all columns alike, and not by an importance matrix that the rows of ${option('calibration')} give`,
    {
      default: true,
      noun: () => l10n.t('the importance matrix'),
    },
  ),
  heal: flag('do not heal the models without blocks', { default: true, noun: () => l10n.t('healing'), ...HEALING }),
  plain: flag('measure them without healing too', { noun: () => l10n.t('plain models'), ...HEALING }),
  method: { ...healing.method, recorded: undefined, ...HEALING },
  ridge: { ...healing.ridge, ...HEALING },
  step: { ...healing.step, recorded: undefined, ...HEALING },
  stepCut: { ...healing.stepCut, recorded: undefined, ...HEALING },
  data: list(
    fileOr(['self'], 'a file of data'),
    `text for healing, as of \`${command('heal')}\`, or self; repeat it for more files (default: the calibration text, else self)`,
    { noun: () => l10n.t('the healing text'), repeated: true, placeholder: 'file', ...HEALING },
  ),
  tokens: { ...healingText.tokens, ...HEALING },
  heldOut: { ...healingText.heldOut, recorded: undefined, ...HEALING },
  ...compute,
};

export const frontier = defineJob({
  kind: 'frontier',
  summary: 'measure size against perplexity: fewer blocks, or fewer bits?',
  description:
    'Writes the model as GGUF in several types, with all blocks and without several numbers of them, measures a text with each ' +
    'file, and removes it again. The frontier is what no smaller file beats. ' +
    `With ${option('fit')} it finds the file of that size with the lowest perplexity, and names the commands that write it. ` +
    'Models without blocks are healed, once for each number. One file is on the disk at a time, in the folder for temporary files.',
  notes: CRITERIA_HELP,
  examples: [
    './SmolLM2-135M --text wiki.test.txt --limit 64 --calibration prose.txt --counts 0,2,4,6',
    './SmolLM2-135M --fit 100MB --text wiki.test.txt --limit 64 --calibration prose.txt',
    './SmolLM2-135M --fit 90MB --types q8_0,q4_k_m --counts 0,3,6 --scores scores.json --text wiki.test.txt --json',
  ],
  noun: () => l10n.t('Comparing sizes'),
  title: (model) => l10n.t('Comparing sizes of {0}', model),
  done: (model) => l10n.t('Compared sizes of {0}', model),
  icon: 'graph-line',
  lane: () => 'alone',
  step: 'sizes',
  about: ({ points, fit }) => joined(countedIn(points, 'file'), chosenWords(points, fit)),
  facts: (result) => {
    const chosen = chosenOf(result.points, result.fit);
    return [
      ...numberFact('bytes, original', field(result.original, 'bytes'), formatBytes),
      ...numberFact('perplexity, original', field(result.original, 'ppl')),
      ...numberFact('bytes of the best that fits', chosen?.bytes, formatBytes),
      ...numberFact('perplexity of the best that fits', chosen?.ppl),
      ...measuredOn(result),
    ];
  },
  options,
  application: (path) => ({ calibration: path, data: [path], text: path, share: 'calibration' }),
  moved: BLOCKS_ONLY,
  check: fault,
  result: frontierResult,
});

function chosenOf(points: unknown, fit: unknown): ReturnType<typeof objects>[number] | undefined {
  return isObject(fit) && typeof fit.point === 'number' ? objects(points).at(fit.point) : undefined;
}

/** "q4_k_m without 2 blocks: 88.1 MB, perplexity 71.2" */
function chosenWords(points: unknown, fit: unknown): string {
  const chosen = chosenOf(points, fit);
  if (!chosen) return '';
  const { type, count, bytes: size, ppl } = chosen;
  const shorter = count === 0 ? '' : ` without ${String(count)}`;
  return `${String(type)}${shorter}: ${formatBytes(Number(size))}, perplexity ${shortNumber(Number(ppl))}`;
}

function fault(given: Complete<typeof options>): Fault | undefined {
  const { text, types, counts, criterion: by, scores, heal: heals } = given;
  if (text === undefined) {
    return {
      what: 'There is nothing to measure the perplexity on',
      why: `${option('text')} is not given`,
      action: `Add ${option('text', 'FILE')}: a text that the blocks were not chosen on.`,
    };
  }
  if (types?.length === 0 || counts?.length === 0) {
    return {
      what: 'There is no file to measure',
      why: 'a list is empty',
      action: 'Name a type and a number of blocks.',
    };
  }
  const idle = heals
    ? undefined
    : (['plain', 'data', 'tokens', 'ridge'] as const).find((name) => given[name] !== undefined);
  if (idle !== undefined) {
    return {
      what: `${option(idle)} needs healing`,
      why: `${option('heal', false)} leaves it out`,
      action: 'Leave one of them out.',
    };
  }
  if (scores !== undefined || counts?.every((count) => count === 0) === true) return undefined;
  return objectiveFault(by, given) ?? calibrationFault(by, given) ?? setFault(by);
}

/** The files lack one, two, three … blocks of one order. */
function setFault(by: Complete<typeof options>['criterion']): Fault | undefined {
  if (!criterionInfo(by).asSet) return undefined;
  return {
    what: `${by} cannot order the blocks`,
    why: 'it finds one set of blocks for one number',
    action: `${set('criterion', 'greedy')}, or another criterion.`,
  };
}
