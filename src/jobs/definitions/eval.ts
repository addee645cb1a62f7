/** Perplexity of a text, or of calibration rows, for a checkpoint or a view of it. */
import { option } from '../../engine/option-token';
import { textArithmetic } from '../../format/arithmetic';
import { formatPercent } from '../../format/numbers';
import { l10n } from '../../l10n';
import { joined, numberIn, pplWords, textIn } from '../about';
import { defineJob, excluding } from '../define';
import { measuredOn, nats, numberFact, removedFact } from '../facts';
import { checkpoint, file, whole } from '../option';
import { application } from '../options/application';
import { begin } from '../options/bos';
import { calibration } from '../options/calibration';
import { compute, quantized } from '../options/compute';
import { adapter, healed, remove, source, width } from '../options/model';
import { window } from '../options/window';
import { evalPrecision } from '../options/precision';
import { evalResult } from '../results/eval';

const { samples, length, seed } = calibration;

/** Without `calibration` they would be ignored. */
const rows = {
  ...calibration,
  samples: { ...samples, needs: 'calibration' },
  length: { ...length, needs: 'calibration' },
  seed: { ...seed, needs: 'calibration' },
};

const options = {
  ...source,
  text: file('text to measure perplexity on (UTF-8)', { noun: () => l10n.t('a text'), conflicts: ['calibration'] }),
  application: application('its judging rows', 'text', 'calibration'),
  window: excluding(window('tokens per window'), 'calibration'),
  limit: whole('use only the first n windows', { noun: () => l10n.t('number of windows'), conflicts: ['calibration'] }),
  ...rows,
  ...begin,
  ...remove,
  ...width,
  ...healed,
  ...adapter,
  against: checkpoint(
    'compare with this original on the same tokens: mean KL divergence and same next token (default: for a written ' +
      'model its original, if it lies beside it; otherwise the checkpoint with all its blocks, if something is left out or changed)',
    { noun: () => l10n.t('the original'), placeholder: 'checkpoint' },
  ),
  repetition: whole(
    'also continue the beginnings of n rows greedily, and measure how much the continuations repeat themselves',
    { noun: () => l10n.t('number of continuations') },
  ),
  precision: evalPrecision,
  ...compute,
  ...quantized,
};

export const evaluate = defineJob({
  kind: 'eval',
  summary: 'measure the perplexity of a text',
  description:
    'Measures the perplexity of a text in windows that do not overlap, or of calibration rows. The lower it is, the ' +
    'better the model predicts the text. Perplexities can be compared only at the same window, BOS mode, text and vocabulary; bits per byte of the same ' +
    'text compare models with different vocabularies too. ' +
    'A model that lacks blocks, is healed or has an adapter is compared with its original too, because perplexity ' +
    'hides collapses: by its mean KL divergence, and by how often both find the same next token most likely.',
  examples: [
    './SmolLM2-135M --text wiki.test.txt --limit 64',
    './SmolLM2-135M --text wiki.test.txt --remove 10,12-14',
    './SmolLM2-135M --text wiki.test.txt --heal healed.patch.safetensors',
    './SmolLM2-135M --text wiki.test.txt --adapter ./adapter',
    './SmolLM2-24 --text wiki.test.txt --against ./SmolLM2-135M --repetition 8',
    './SmolLM2-135M --calibration prose.txt --samples 32',
    './gemma --text wiki.test.txt --bos window --json',
  ],
  noun: () => l10n.t('Evaluating'),
  title: (model) => l10n.t('Evaluating {0}', model),
  done: (model) => l10n.t('Evaluated {0}', model),
  icon: 'dashboard',
  measures: true,
  isPassing: ({ text: own }) => own === undefined,
  step: 'quality',
  about: (result, { device: on }) =>
    joined(
      pplWords(result.ppl),
      result.kl === undefined ? '' : `KL ${numberIn(result.kl, 3)} nats`,
      `${numberIn(result.tokens)} tokens`,
      textArithmetic(textIn(result.precision), on),
    ),
  facts: (result) => [
    ...removedFact(result),
    ...numberFact('perplexity', result.ppl),
    ...numberFact('bits per byte', result.bitsPerByte),
    ...numberFact('KL divergence', result.kl, nats),
    ...numberFact('same next token', result.top1, formatPercent),
    ...measuredOn(result),
  ],
  options,
  application: (path) => ({ text: path, share: 'judging' }),
  check: ({ text, calibration: rows }) =>
    text !== undefined || rows !== undefined
      ? undefined
      : {
          what: 'There is nothing to evaluate',
          why: `neither ${option('text')} nor ${option('calibration')} is given`,
          action: `Add ${option('text', 'FILE')}.`,
        },
  result: evalResult,
});
