/** Costs of a model or a view of it: time, memory and size. */
import { option } from '../../engine/option-token';
import { arithmeticWords } from '../../format/arithmetic';
import { formatBytes } from '../../format/numbers';
import { l10n } from '../../l10n';
import { joined, numberIn, textIn } from '../about';
import { defineJob } from '../define';
import { numberFact, perSecond } from '../facts';
import { flag } from '../option';
import { compute, quantized } from '../options/compute';
import { measuredPrecision } from '../options/precision';
import { measuring } from '../options/measuring';
import { adapter, healed, remove, source, width } from '../options/model';
import { benchResult } from '../results/bench';

const byWidth = flag('also measure the rate of products by FFN width; takes some seconds');

export const bench = defineJob({
  kind: 'bench',
  summary: 'measure speed, memory and size',
  description:
    'Measures how fast a checkpoint reads a prompt (prefill) and writes (decode), how long the first token takes, ' +
    `and how much memory and disk it needs. The numbers are medians of several runs. With ${option('byWidth')}, it also measures ` +
    "products around the model's FFN width: on many devices those that are no multiple of 8 are slower.",
  examples: [
    './SmolLM2-135M',
    './SmolLM2-135M --remove 10,12-14 --threads 2',
    './SmolLM2-135M --by-width',
    './SmolLM2-135M --prompt-tokens 512 --new-tokens 128 --json',
  ],
  noun: () => l10n.t('Measuring speed'),
  title: (model) => l10n.t('Measuring the speed of {0}', model),
  done: (model) => l10n.t('Measured the speed of {0}', model),
  icon: 'watch',
  measures: true,
  lane: () => 'alone',
  isPassing: () => true,
  step: 'speed',
  about: ({ decodeTokensPerSecond, precision }, { device: on }) =>
    joined(`${numberIn(decodeTokensPerSecond, 3)} tokens/s`, arithmeticWords(textIn(precision), on)),
  facts: (result) => [
    ...numberFact('prompt', result.prefillTokensPerSecond, perSecond),
    ...numberFact('writing', result.decodeTokensPerSecond, perSecond),
    ...numberFact('memory at most', result.peakRssBytes, formatBytes),
  ],
  options: {
    ...source,
    ...measuring(3),
    byWidth,
    ...remove,
    ...width,
    ...healed,
    ...adapter,
    precision: measuredPrecision,
    ...compute,
    ...quantized,
  },
  result: benchResult,
});
