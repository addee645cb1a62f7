/** Drops the experts that a mixture of experts needs least. */
import { EXPERT_CRITERIA, EXPERT_RATIO } from '../../engine/importance/experts/criteria';
import { option, value } from '../../engine/option-token';
import { isObject, type JsonObject } from '../../format/json';
import { l10n } from '../../l10n';
import { joined, removedWords } from '../about';
import { type Complete, defineJob, type Fault } from '../define';
import { changeFact, field, nats, numberFact, removedFact } from '../facts';
import { bytes, choice, file, flag, folder, parameters, part, whole } from '../option';
import { application } from '../options/application';
import { begin } from '../options/bos';
import { calibration } from '../options/calibration';
import { compute } from '../options/compute';
import { remove, source } from '../options/model';
import { expertsResult } from '../results/experts';

const options = {
  ...source,
  keep: whole('experts to keep in each block', {
    noun: () => l10n.t('the number of experts'),
    conflicts: ['ratio', 'targetParams', 'fit'],
  }),
  ratio: part(`drop this share of the experts of each block, rounded down (default: ${EXPERT_RATIO})`, {
    noun: () => l10n.t('the share of experts'),
    placeholder: 'r',
    conflicts: ['targetParams', 'fit'],
  }),
  targetParams: parameters(
    `keep as few experts as leave at least this many parameters, without the blocks of ${option('remove')}: ${value('parameters', '20B')}`,
    { noun: () => l10n.t('the target size'), conflicts: ['fit'] },
  ),
  fit: bytes(
    `keep as many experts as files of at most this size have room for, without the blocks of ${option('remove')}: ${value('bytes', '40GB')}`,
    { noun: () => l10n.t('the size'), placeholder: 'size' },
  ),
  criterion: choice(EXPERT_CRITERIA, 'how to choose experts', {
    noun: () => l10n.t('the criterion'),
    placeholder: 'name',
    default: 'reap',
    recorded: true,
  }),
  remove: {
    ...remove.remove,
    help: `leave out these blocks too: ${value('blocks', '10,12-14')}; experts are scored in the model without them`,
  },
  scores: file('scores of an earlier run of this model: its record, or its output in JSON. Then no text is routed', {
    noun: () => l10n.t('the scores'),
    conflicts: ['seed'],
  }),
  rescale: flag(
    'then multiply what each kept expert gives by a factor that is fitted to the original on the calibration rows, if that lowers the KL divergence on every fourth of them, which is not fitted',
    { noun: () => l10n.t('rescaling the kept experts'), recorded: true },
  ),
  application: application('its calibration rows', 'calibration'),
  ...calibration,
  ...begin,
  text: file('measure the loss before and after on rows of this text (default: on the calibration rows)', {
    noun: () => l10n.t('the text that is measured on'),
  }),
  measure: flag('do not measure the loss of the model with fewer experts', {
    default: true,
    noun: () => l10n.t('the loss before and after'),
    recorded: true,
  }),
  out: folder(
    'GGUF file, or folder of the new checkpoint, as the model is; it must not exist. Without it nothing is written',
    {
      writes: true,
      usual: 'always',
      noun: () => l10n.t('output folder'),
    },
  ),
  ...compute,
};

export const experts = defineJob({
  kind: 'experts',
  summary: 'drop the least important experts of a mixture of experts',
  description:
    'Scores every expert in one pass over the weights, block by block, and in a block group by group of experts ' +
    `(${option('memory')}). The lowest of each block go, as many in every block. Measures the loss before and after without writing ` +
    `anything; with ${option('out')} it writes the model: routers lose rows, experts are renumbered, and the config follows. ` +
    `With ${option('rescale')} the down_proj of kept experts is multiplied by a factor each, where that helps. ` +
    'The source never changes.',
  notes:
    'Criteria:\n' +
    '  reap       mean weight × norm of what an expert gives, over the tokens routed to it (Lasby et al. 2025)\n' +
    '  frequency  tokens routed to an expert\n' +
    '  random     the seed alone\n' +
    `Blocks and experts in one go: score blocks first, then name them with ${option('remove')}. A GGUF file gives a GGUF file, with the ` +
    'bytes of what stays.',
  examples: [
    './Qwen3-30B-A3B --keep 96 --calibration code.txt --samples 64 --length 512 --out ./Qwen3-96',
    './OLMoE-1B-7B --ratio 0.25 --calibration prose.txt --text test.txt --json',
    './Qwen3-30B-A3B-Q4_K_M.gguf --keep 96 --calibration code.txt --out ./Qwen3-96-Q4_K_M.gguf',
    './OLMoE-1B-7B --scores experts.json --keep 40 --no-measure --out ./OLMoE-40',
    './Qwen3-30B-A3B --target-params 20B --remove 20-23 --calibration rows.json --out ./Qwen3-smaller',
  ],
  noun: () => l10n.t('Experts'),
  title: (model, { out }) =>
    out === undefined ? l10n.t('Scoring experts of {0}', model) : l10n.t('Dropping experts of {0}', model),
  done: (model, { out }) =>
    out === undefined ? l10n.t('Scored experts of {0}', model) : l10n.t('Dropped experts of {0}', model),
  icon: 'organization',
  made: { as: 'pruned', icon: 'organization', words: () => l10n.t('fewer experts') },
  makes: ({ out }) => typeof out === 'string',
  step: 'fewer-experts',
  about: (result, { written }) =>
    joined(
      keptWords(result),
      rescaledWords(result),
      removedWords(emptyAsNone(result.removed)),
      lossWords(result),
      written,
    ),
  did: () => 'fewer experts',
  facts: (result) => [
    ...removedFact(result),
    ...numberFact('experts', field(result.experts, 'before')),
    ...numberFact('kept experts', field(result.experts, 'after')),
    ...numberFact('parameters', result.parameters),
    ...changeFact('loss', result.before, result.after, 'meanNll', nats),
    ...numberFact('KL divergence', field(result.after, 'kl'), nats),
  ],
  options,
  application: (path) => ({ calibration: path, share: 'calibration' }),
  check: textFault,
  result: expertsResult,
});

/** The error if there is no text to route. */
function textFault({
  calibration: rows,
  scores,
  criterion,
  rescale,
  text,
  measure,
}: Complete<typeof options>): Fault | undefined {
  if (scores !== undefined && rows === undefined && text === undefined && measure) {
    return {
      what: 'There is no text to measure the loss on',
      why: `${option('calibration')} and ${option('text')} are not given`,
      action: `Add ${option('text', 'FILE')}, or ${option('measure', false)}.`,
    };
  }
  if (rows !== undefined || (scores !== undefined && !rescale)) return undefined;
  const needs = scores === undefined ? option('criterion', criterion) : option('rescale');
  return {
    what: `${needs} needs a calibration text`,
    why: `${option('calibration')} is not given`,
    action: `Add ${option('calibration', 'FILE')}.`,
  };
}

const emptyAsNone = (removed: unknown): unknown => (Array.isArray(removed) && removed.length > 0 ? removed : undefined);

function keptWords({ experts: count, criterion }: JsonObject): string {
  if (!isObject(count) || typeof count.before !== 'number' || typeof count.after !== 'number') return '';
  return l10n.t('{0} of {1} experts by {2}', count.after, count.before, String(criterion));
}

const rescaledWords = ({ rescale }: JsonObject): string =>
  isObject(rescale) && rescale.applied === true ? l10n.t('rescaled') : '';

function lossWords({ before, after }: JsonObject): string {
  const [from, to] = [before, after].map((each) => (isObject(each) ? each.meanNll : undefined));
  return typeof from === 'number' && typeof to === 'number' ? `loss ${from.toFixed(3)} → ${to.toFixed(3)}` : '';
}
