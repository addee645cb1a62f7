/** The result of "frontier": perplexity against bytes, in several types and without several numbers of blocks. */
import { CRITERIA } from '../../engine/importance/criteria';
import { GGUF_TYPES } from '../../engine/write/gguf/kinds';
import { flag, list, nullable, number, oneOf, optional, real, shape, text, whole, type ValueOf } from '../result';
import { computed, modelRead, removedBlocks, rowsOfText } from './common';

const bytes = whole('bytes of the file', { unit: 'bytes', better: 'less' });
const measured = {
  bytes,
  ppl: real<number>('perplexity', { better: 'less' }),
  meanNll: real<number>('mean loss of a token', { unit: 'nats', better: 'less' }),
};

const point = shape(
  {
    type: oneOf(GGUF_TYPES, 'the type of its weights'),
    count: whole('removed blocks'),
    removed: removedBlocks,
    healed: flag('its weights were healed; false also where healing did not help'),
    ...measured,
    parameters: whole('its parameters', { better: 'less' }),
    frontier: flag('no other point is at most as large and has a lower perplexity'),
    fits: optional(flag('of a size that was asked for: it fits')),
    behind: optional(
      shape(
        {
          difference: real<number>('mean over the rows of the difference of the losses', { unit: 'nats' }),
          interval: nullable(number('half of its 95 % interval; null for a single row')),
        },
        'of points that fit: how much more it loses than the one that was chosen, on the same rows',
      ),
    ),
  },
  'a GGUF file that was written, measured and removed again',
);
export type FrontierPoint = ValueOf<typeof point>;

export const frontierResult = shape(
  {
    model: modelRead,
    criterion: oneOf(CRITERIA, 'what chose the blocks'),
    order: list(
      list(whole('a block'), 'blocks'),
      'which blocks go: for each number of them that was measured, ascending',
    ),
    original: shape({ ...measured, bytes: { ...bytes, words: 'bytes of its files' } }, 'the original as it is stored'),
    points: list(point, 'number by number of removed blocks, the finest type first'),
    fit: optional(
      shape(
        {
          bytes: whole('the size that was asked for', { unit: 'bytes' }),
          point: nullable(whole('the place of the point with the lowest perplexity that fits; null if none fits')),
          isClear: flag('the rows tell it apart from every other point that fits'),
          commands: list(text('a command line'), 'what writes that file'),
        },
        'of a size that was asked for: what fits',
      ),
    ),
    text: shape(rowsOfText, 'what perplexity was measured on, and what chose the point'),
    weighed: flag('types of few bits were rounded by an importance matrix of the calibration rows'),
    calibrated: flag('the text also chose the blocks or healed, so that perplexities are too low'),
    ...computed,
  },
  'perplexity against bytes, in several types and without several numbers of blocks',
);
export type FrontierResult = ValueOf<typeof frontierResult>;
