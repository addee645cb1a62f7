/** Depth against width at equal size (Shortened LLaMA, Tables 1 and 2, Figure 1), on the user's own model. */
import { objects } from '../../engine/records/fields';
import { PAPER_PROMPT, QUICK } from '../../engine/evaluate/grid/protocol';
import { VERSUS_METHODS } from '../../engine/evaluate/versus-methods';
import { option, value } from '../../engine/option-token';
import { shortNumber } from '../../format/numbers';
import { l10n } from '../../l10n';
import { countedIn } from '../about';
import { type Complete, defineJob, type Fault } from '../define';
import { measuredOn, numberFact } from '../facts';
import { blocks, choice, file, flag, folder, list, part, text, whole } from '../option';
import { application } from '../options/application';
import { begin } from '../options/bos';
import { calibration } from '../options/calibration';
import { compute } from '../options/compute';
import { keep } from '../options/keep';
import { answers, measuredTasks, taskLimit } from '../options/measured-tasks';
import { source } from '../options/model';
import { window } from '../options/window';
import { versusResult } from '../results/versus';

const tasksOf = measuredTasks('accuracy');

const options = {
  ...source,
  counts: list(
    whole('a number of blocks'),
    'sizes, as numbers of removed blocks (default: a tenth, a fifth, three tenths)',
    {
      noun: () => l10n.t('the sizes'),
      placeholder: 'list',
    },
  ),
  ratios: list(
    part('a share'),
    `sizes, as shares of all parameters of which at most as much is removed, in place of numbers of blocks: ${value('numbers', '0.2,0.35')}`,
    {
      noun: () => l10n.t('the shares'),
      placeholder: 'list',
      conflicts: ['counts', 'plan'],
    },
  ),
  plan: blocks(`also a choice of blocks of your own; without ${option('counts')}, all models have its size`, {
    noun: () => l10n.t('the plan'),
  }),
  methods: list(choice(VERSUS_METHODS, 'a method'), `some of ${VERSUS_METHODS.join(', ')} (default: all)`, {
    noun: () => l10n.t('the methods'),
    expected: `names of methods separated by commas: ${VERSUS_METHODS.join(', ')}`,
  }),
  multiple: whole('keep neurons in multiples of this: 8, 32 or 256', {
    noun: () => l10n.t('the multiple'),
  }),
  ...keep,
  application: application('its calibration rows choose, its judging rows measure', 'calibration', 'text'),
  text: file('measure the perplexity on a text instead of the calibration rows', { noun: () => l10n.t('a text') }),
  window: window(`with ${option('text')}: tokens per window`),
  limit: whole(`with ${option('text')}: use only the first n windows`, { noun: () => l10n.t('number of windows') }),
  data: tasksOf.taskData,
  tasks: tasksOf.tasks,
  own: tasksOf.own,
  items: taskLimit('accuracy'),
  answers,
  speed: flag('do not measure latency, throughput and memory', { default: true }),
  batch: whole('texts that are written side by side', { default: 1, noun: () => l10n.t('batch') }),
  newTokens: whole('tokens that each text gets', { default: QUICK.newTokens[0], noun: () => l10n.t('new tokens') }),
  runs: whole('measured runs of each model', { default: QUICK.runs }),
  warmup: whole('warm-up runs before them', { default: QUICK.warmup, min: 0 }),
  prompt: text(`what the texts begin with (default: "${PAPER_PROMPT}")`),
  sample: flag('do not let every model continue the prompt', { default: true }),
  saveWidths: folder(`keep what each rival keeps in a file of this folder, for ${option('width')}`, {
    writes: true,
    noun: () => l10n.t('folder for widths'),
  }),
  ...calibration,
  ...begin,
  ...compute,
};

export const versus = defineJob({
  kind: 'versus',
  summary: 'compare depth and width pruning at equal size',
  description:
    "The paper's comparison on your own model: blocks removed by PPL and by Taylor+, and LLM-Pruner, FLAP and " +
    'Wanda-sp, which narrow every block to the same size. Each model has its perplexity, speed, memory and pruning ' +
    'time, and its accuracy if task data are given. No checkpoint is written.',
  examples: [
    './SmolLM2-135M --calibration prose.txt',
    './SmolLM2-135M --calibration prose.txt --counts 3,6,9 --text test.txt --limit 64 --json',
    './SmolLM2-135M --calibration prose.txt --methods ppl,flap --counts 6 --data ./tasks --items 200',
    './SmolLM2-135M --calibration prose.txt --plan 13-18 --no-speed',
  ],
  noun: () => l10n.t('Comparing depth and width'),
  title: (model) => l10n.t('Comparing depth and width pruning of {0}', model),
  done: (model) => l10n.t('Compared depth and width pruning of {0}', model),
  icon: 'split-horizontal',
  lane: () => 'alone',
  step: 'compared',
  about: ({ models }) => countedIn(models, 'model'),
  facts: (result) => [
    ...objects(result.models).flatMap((model) =>
      numberFact(String(model.label), model.ppl, (ppl) => `perplexity ${shortNumber(ppl)}`),
    ),
    ...measuredOn(result),
  ],
  options,
  application: (path) => ({ calibration: path, text: path, share: 'calibration' }),
  check: fault,
  result: versusResult,
});

function fault({ calibration: rows, counts, ratios }: Complete<typeof options>): Fault | undefined {
  if (rows === undefined) {
    return {
      what: 'The comparison needs a calibration text',
      why: `${option('calibration')} is not given`,
      action: `Add ${option('calibration', 'FILE')}: a text like those that your app sends.`,
    };
  }
  if (counts?.length === 0 || ratios?.length === 0) {
    return { what: 'There is no size to compare', why: 'the list is empty', action: 'Name a number of blocks.' };
  }
  return undefined;
}
