/** The results of "bench" and "speeds": what models cost. Times are medians. */
import {
  flag,
  list,
  nullable,
  number,
  numbers,
  optional,
  pair,
  real,
  seconds,
  shape,
  text,
  whole,
  type ValueOf,
} from '../result';
import { columnInfo, computed, precision, removed } from './common';

const perSecond = { unit: 'tokens/s', better: 'more' } as const;
const parameters = whole('parameters that the model has');
const bytes = whole('bytes of its tensors', { unit: 'bytes', better: 'less' });

const asked = {
  promptTokens: whole('tokens of the prompt'),
  newTokens: whole('tokens after it'),
  repeats: whole('measured runs'),
};

const rates = shape(
  {
    hidden: whole('inputs and outputs of the products'),
    tokens: numbers('tokens that are multiplied at a time'),
    widths: list(
      shape(
        {
          width: whole('neurons of the FFN'),
          multiple: nullable(whole('the largest of 32 and 8 that divides it; null if not even 8 does')),
          own: flag('a block of the model has this width'),
          rates: list(
            shape({ median: number('median'), low: number('least'), high: number('most') }, 'operations a second'),
            'by number of tokens',
          ),
        },
        'a width',
      ),
      'ascending by width',
    ),
    slowdown: list(
      shape(
        { share: number('share'), low: number('lower end of its interval'), high: number('upper end') },
        'for a number of tokens',
      ),
      'by how much widths that are no multiple of 8 are slower',
    ),
  },
  'the rate of products by FFN width, if asked for',
);

export const benchResult = shape(
  {
    parameters,
    bytes,
    loadSeconds: seconds('from opening the files to the first token'),
    prefillTokensPerSecond: real('speed of reading a prompt', perSecond),
    decodeTokensPerSecond: real('speed of writing', perSecond),
    timeToFirstTokenSeconds: real('from the prompt to the first token', { unit: 's', better: 'less' }),
    prefillRange: pair(real('tokens a second'), 'the least and the most of all runs'),
    decodeRange: pair(real('tokens a second'), 'the least and the most of all runs'),
    peakRssBytes: whole('peak memory of the process', { unit: 'bytes', better: 'less' }),
    ...asked,
    removed,
    byWidth: optional(rates),
    ...computed,
  },
  'what one model costs',
);
export type BenchResult = ValueOf<typeof benchResult>;

const measured = shape(
  {
    ...columnInfo,
    parameters: optional(parameters),
    bytes: optional(bytes),
    prefillTokensPerSecond: optional(real<number>('speed of reading a prompt', perSecond)),
    prefillRange: optional(pair(real<number>('tokens a second'), 'the least and the most of all turns')),
    decodeTokensPerSecond: optional(real<number>('speed of writing', perSecond)),
    decodeRange: optional(pair(real<number>('tokens a second'), 'the least and the most of all turns')),
    timeToFirstTokenSeconds: optional(seconds('from the prompt to the first token')),
    failure: optional(text('why it could not be measured; then it has no figures')),
  },
  'a model',
);
export type MeasuredModel = ValueOf<typeof measured>;

export const speedsResult = shape(
  {
    models: list(measured, 'in the order of the columns'),
    ...asked,
    precision,
    seconds: computed.seconds,
  },
  'what several models cost, measured in turns',
);
export type SpeedsResult = ValueOf<typeof speedsResult>;
