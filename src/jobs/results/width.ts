/** The result of "width": what every block keeps, and the narrower model. */
import { WIDTH_METHODS } from '../../engine/importance/width/methods';
import { list, nullable, number, numbers, oneOf, optional, seconds, shape, text, whole, type ValueOf } from '../result';
import { computed, leftBehind, meanNll, ppl, sizes } from './common';

export const widthResult = shape(
  {
    method: oneOf(WIDTH_METHODS, 'the method'),
    ratio: number('the share, as the method means it; found for a size if one was asked for'),
    target: nullable(whole('parameters that were asked for; null if a ratio was')),
    ...sizes,
    meanNll: { ...meanNll, words: 'mean loss of the narrower model on the calibration rows' },
    ppl: { ...ppl, words: 'its perplexity on the calibration rows' },
    layers: list(
      shape(
        { groups: numbers('key-value heads with their query heads'), neurons: numbers('neurons of the FFN') },
        'what is kept of a block, from 0, ascending',
      ),
      'one for each block',
    ),
    threshold: nullable(number('FLAP keeps units with higher scores; null for other methods')),
    warnings: list(text('a sentence'), 'what the method could not do as it was asked'),
    out: nullable(text('folder of the new checkpoint, absolute')),
    save: nullable(text('file of the width, absolute')),
    gguf: nullable(text('GGUF file, absolute')),
    leftBehind: optional(leftBehind),
    loading: optional(text('which programs open the new checkpoint, in a sentence')),
    ...computed,
    pruningSeconds: seconds('seconds of choosing what is kept: the method alone'),
  },
  'what every block keeps, and the narrower model',
);
export type WidthResult = ValueOf<typeof widthResult>;
