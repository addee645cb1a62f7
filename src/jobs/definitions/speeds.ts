/** Speeds of several models, measured in turns so that they can be compared. */
import { l10n } from '../../l10n';
import { defineJob } from '../define';
import { models } from '../option';
import { compute, quantized } from '../options/compute';
import { measuredPrecision } from '../options/precision';
import { measuring } from '../options/measuring';
import { speedsResult } from '../results/bench';

/** More than for a single model, because the range of three runs says little. */
const REPEATS = 5;

export const speeds = defineJob({
  kind: 'speeds',
  sidecarOnly: true,
  summary: 'measure the speeds of several models',
  description:
    'Measures in turns how fast several models read a prompt (prefill) and write (decode). ' +
    'Where a context is too small, prompt and text are shorter for all of them.',
  examples: [],
  noun: () => l10n.t('Measuring speed'),
  title: (model) => l10n.t('Measuring the speed of {0}', model),
  done: (model) => l10n.t('Measured the speed of {0}', model),
  icon: 'watch',
  lane: () => 'alone',
  isPassing: () => true,
  options: {
    columns: models('the models', { required: true }),
    ...measuring(REPEATS),
    precision: measuredPrecision,
    ...compute,
    ...quantized,
  },
  result: speedsResult,
});
