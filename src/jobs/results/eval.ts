/** The result of "eval": perplexity, and what it was measured on. */
import { BOS_MODES } from '../../format/bos';
import { flag, nullable, oneOf, optional, real, seconds, shape, text, whole, type ValueOf } from '../result';
import { precision, removed } from './common';

const repetition = shape(
  {
    texts: whole('greedy continuations'),
    mean: nullable(
      real('mean share of runs of four tokens that occurred earlier in the text; null if all texts are too short', {
        better: 'less',
      }),
    ),
    unpruned: nullable(real('the same of the original; null without one')),
  },
  'how much greedy continuations of rows repeat themselves',
  { gate: { limit: 'maxRepetition', needs: 'repetition' } },
);
export type RepetitionResult = ValueOf<typeof repetition>;

export const evalResult = shape(
  {
    ppl: real<number>('perplexity', { better: 'less', gate: { limit: 'maxPpl' } }),
    meanNll: real<number>('mean loss of a token', { unit: 'nats', better: 'less' }),
    bitsPerByte: optional(
      real<number>(
        'mean loss of a token in bits, times the tokens of the text in the rows, for each byte of that text (UTF-8): ' +
          'the number that compares models with different vocabularies; not for rows of ids',
        { unit: 'bits/byte', better: 'less' },
      ),
    ),
    tokens: whole('tokens that were predicted'),
    windows: whole('windows of the text'),
    window: whole('tokens of a window'),
    bos: oneOf([...BOS_MODES, 'given'], 'where the begin-of-text token was; "given": in rows of ids'),
    vocabulary: optional(whole('tokens of the vocabulary of the model; records of earlier versions do not tell it')),
    removed,
    calibrated: flag('the text also chose the blocks that were removed, so that the perplexity flatters'),
    kl: optional(
      real<number>('mean KL divergence from the original', {
        unit: 'nats',
        better: 'less',
        gate: { limit: 'maxKl' },
      }),
    ),
    top1: optional(
      real<number>('share of tokens for which both find the same token most likely', {
        better: 'more',
        gate: { limit: 'minSame' },
      }),
    ),
    against: optional(shape({ model: text('its name'), identity: text('identity of its files') }, 'the original')),
    repetition: optional(repetition),
    precision,
    seconds: seconds('seconds of the whole job'),
  },
  'perplexity, and what it was measured on',
);
export type EvaluateResult = ValueOf<typeof evalResult>;
