/** Prunes a model in width: attention heads and FFN neurons in place of whole blocks. */
import {
  FLAP_METRICS,
  FLAP_STRUCTURES,
  SALIENCES,
  WIDTH_DEFAULTS,
  WIDTH_METHODS,
} from '../../engine/importance/width/methods';
import { slicesOf } from '../../format/ranges';
import { option, type OptionName, set, value } from '../../engine/option-token';
import { formatPercent } from '../../format/numbers';
import { l10n } from '../../l10n';
import { joined, parametersWords, pplWords } from '../about';
import { type Complete, defineJob, type Fault } from '../define';
import { numberFact, writtenFacts } from '../facts';
import { blocks, choice, file, flag, folder, parameters, part, parts, whole } from '../option';
import { application } from '../options/application';
import { begin } from '../options/bos';
import { calibration } from '../options/calibration';
import { compute } from '../options/compute';
import { source } from '../options/model';
import { dtype } from '../options/output';
import { widthResult } from '../results/width';

const { salience, structure, metric } = WIDTH_DEFAULTS;

const options = {
  ...source,
  method: choice(WIDTH_METHODS, 'how to choose heads and neurons', {
    noun: () => l10n.t('the method of width pruning'),
    placeholder: 'name',
    required: true,
    recorded: true,
  }),
  ratio: part('remove this share of heads and neurons, as the method means it', {
    noun: () => l10n.t('the share'),
    placeholder: 'r',
    conflicts: ['targetParams', 'asLargeAs'],
  }),
  targetParams: parameters(
    `find the ratio whose model is nearest to this many parameters: ${value('parameters', '5.4B')}, ${value('parameters', '110M')}`,
    {
      noun: () => l10n.t('the target size'),
      conflicts: ['asLargeAs'],
    },
  ),
  asLargeAs: parts(
    `find the ratio whose model is nearest in size to the model without these blocks: ${value('parts', '10,12-14')}`,
    {
      noun: () => l10n.t('the plan to compare with'),
      placeholder: 'list',
    },
  ),
  multiple: whole('keep neurons in multiples of this number, such as 8, 32 or 256', {
    noun: () => l10n.t('the multiple of neurons'),
    recorded: true,
  }),
  range: blocks('llm-pruner: blocks to prune, A-B (default: without the first four and the last two)', {
    noun: () => l10n.t('the range of blocks'),
  }),
  salience: choice(SALIENCES, `llm-pruner: what a weight is worth (default: ${salience})`, {
    noun: () => l10n.t('the salience'),
    placeholder: 'name',
  }),
  structure: choice(FLAP_STRUCTURES, `flap: compare all units, or those of each block (default: ${structure})`, {
    noun: () => l10n.t('the structure'),
    placeholder: 'name',
  }),
  metric: choice(FLAP_METRICS, `flap: what is measured of a channel (default: ${metric})`, {
    noun: () => l10n.t('the metric'),
    placeholder: 'name',
  }),
  compensation: flag('flap: do not add the mean of what is removed as a bias', {
    default: true,
    noun: () => l10n.t('compensation'),
    recorded: true,
  }),
  ...calibration,
  ...begin,
  calibration: file(calibration.calibration.help, {
    required: true,
    unless: 'application',
    setting: calibration.calibration.setting,
  }),
  application: application('its calibration rows', 'calibration'),
  out: folder('folder of the new checkpoint; it must not exist', { writes: true, noun: () => l10n.t('output folder') }),
  dtype,
  save: file(
    `file of what is kept, for ${option('width')}; it must not exist; the editor knows it by the end .width.safetensors`,
    {
      writes: true,
      usual: 'alone',
      noun: () => l10n.t('a file of a width'),
    },
  ),
  gguf: file('also write the model as a GGUF file, which llama.cpp runs; it must not exist', {
    writes: true,
    noun: () => l10n.t('a GGUF file'),
  }),
  ...compute,
};

export const width = defineJob({
  kind: 'width',
  summary: 'remove attention heads and neurons in place of blocks',
  description:
    'Prunes in width, as the methods do that depth pruning is compared with: LLM-Pruner, FLAP and Wanda-sp. A key-value head goes ' +
    'with its query heads, and a neuron with its rows and column. Measures the narrower model on the calibration rows. Without ' +
    `${option('out')}, ${option('save')} and ${option('gguf')} nothing is written. The source never changes.`,
  notes:
    'Methods:\n' +
    '  llm-pruner  removes a share of every block in a range, by gradients (Ma et al. 2023)\n' +
    '  flap        compares all blocks by how their channels fluctuate, and adds biases (An et al. 2024)\n' +
    '  wanda-sp    removes a share of every block, by weights and norms of inputs (Sun et al. 2024)',
  examples: [
    './SmolLM2-135M --method flap --ratio 0.25 --calibration prose.txt --out ./SmolLM2-narrow',
    './SmolLM2-135M --method llm-pruner --as-large-as 10,12-14 --calibration prose.txt --json',
    './SmolLM2-135M --method flap --ratio 0.25 --calibration prose.txt --gguf narrow.gguf',
    './SmolLM2-135M --method wanda-sp --target-params 110M --multiple 32 --calibration rows.json --save narrow.width.safetensors',
  ],
  noun: () => l10n.t('Width Pruning'),
  title: (model, { method }) =>
    method === undefined ? l10n.t('Pruning {0} in width', model) : l10n.t('Pruning {0} in width by {1}', model, method),
  done: (model) => l10n.t('Narrowed {0}', model),
  icon: 'fold',
  makes: () => true,
  step: 'narrowed',
  about: (result, { written }) => joined(parametersWords(result), pplWords(result.ppl), written),
  did: () => 'narrowed',
  facts: (result) => [
    ...numberFact('share', result.ratio, formatPercent),
    ...writtenFacts(result),
    ...numberFact('perplexity on the calibration rows', result.ppl),
  ],
  options,
  application: (path) => ({ calibration: path, share: 'calibration' }),
  check: (given) => amountFault(given) ?? strangerFault(given) ?? rangeFault(given),
  result: widthResult,
});

type WidthOptions = Complete<typeof options>;

function amountFault({ ratio, targetParams, asLargeAs }: WidthOptions): Fault | undefined {
  if ((ratio ?? targetParams ?? asLargeAs) !== undefined) return undefined;
  return {
    what: 'It is not clear how much to remove',
    why: `none of ${option('ratio')}, ${option('targetParams')} and ${option('asLargeAs')} is given`,
    action: `${set('ratio', 0.25, 'add')}, or another of these.`,
  };
}

/** Options of one method only. */
const OWN = {
  range: 'llm-pruner',
  salience: 'llm-pruner',
  structure: 'flap',
  metric: 'flap',
} as const satisfies Partial<Record<keyof WidthOptions & OptionName, WidthOptions['method']>>;

function strangerFault(given: WidthOptions): Fault | undefined {
  const { method, compensation } = given;
  const own = Object.entries(OWN) as [keyof typeof OWN, (typeof OWN)[keyof typeof OWN]][];
  const stranger = own.find(([name, owner]) => given[name] !== undefined && owner !== method);
  const isIdle = !compensation && method !== 'flap';
  if (stranger === undefined && !isIdle) return undefined;
  return {
    what: `${option('method', method)} does not know ${stranger ? option(stranger[0]) : option('compensation', false)}`,
    why: `it belongs to ${stranger ? stranger[1] : 'flap'}`,
    action: 'Leave it out.',
  };
}

function rangeFault({ range }: WidthOptions): Fault | undefined {
  if (range === undefined || slicesOf(range).length === 1) return undefined;
  return {
    what: `${option('range')} is not one range`,
    why: 'the blocks that are pruned follow each other',
    action: `Write the first and the last one: ${option('range', '4-27')}.`,
  };
}
