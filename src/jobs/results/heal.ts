/** The result of "heal": what healing changed, and how near the model is to the whole one. */
import { HEAL_METHODS } from '../../engine/heal/methods';
import {
  either,
  list,
  nullable,
  number,
  numbers,
  oneOf,
  optional,
  real,
  seconds,
  shape,
  text,
  whole,
  type ValueOf,
} from '../result';
import { computed, healNumbers, leftBehind, removed } from './common';

const stages = (words: string) =>
  shape(
    {
      rows: whole('measured rows'),
      before: { ...healNumbers, words: 'the pruned model' },
      after: { ...healNumbers, words: 'the healed one' },
      rounded: { ...healNumbers, words: 'the healed one, with new weights rounded to the type of the file' },
    },
    words,
  );

const changedWeight = shape(
  { norm: number('its norm'), dot: number('its dot product with a fixed pseudo-random vector') },
  'the new weight; absent if it did not change',
);

const step = shape(
  {
    block: whole('the block'),
    tensor: oneOf(['o_proj', 'down_proj'], 'the Linear that was corrected'),
    removed: { ...removed, words: 'what is left out right after it' },
    traceGram: optional(real('trace of XᵀX')),
    medianGram: optional(real('lower median of the diagonal of XᵀX')),
    normCross: optional(real('‖XᵀR‖ (Frobenius)')),
    normDelta: optional(real('‖D‖ (Frobenius)')),
    errorBefore: optional(real('Σ (target − stream)² after this module before the correction', { better: 'less' })),
    errorAfter: optional(real('the same after the correction', { better: 'less' })),
    ridge: optional(nullable(number('the ridge that was used; null where none helps'))),
    heldErrors: optional(numbers('of auto: relative squared errors on the rows that choose, by ridge')),
    s: optional(number('of scalar: the factor of the cut')),
    weight: optional(changedWeight),
    besideWeight: optional({
      ...changedWeight,
      words: 'that of Mamba, where it is beside attention and corrected with it',
    }),
    normWeight: optional({ ...changedWeight, words: 'the new weight of the norm behind it' }),
  },
  'the correction of one Linear',
);

export const healResult = shape(
  {
    removed,
    method: oneOf(HEAL_METHODS, 'how weights were corrected'),
    ridge: nullable(either(number('the ridge'), oneOf(['auto'], 'chosen'), "the ridge; null: the method's rule")),
    step: number('share of a correction that is taken'),
    stepCut: number('the same before a cut'),
    tokens: whole('tokens that were fitted'),
    text: shape({ name: text('its name'), rows: whole('all its rows'), length: whole('tokens of a row') }, 'the text'),
    fit: stages('on the fitted rows: all of them with nothing held out, otherwise as many as are held out'),
    heldOut: nullable(stages('on rows that were not fitted; null if none was held out')),
    steps: list(step, 'corrections in the order of the walk'),
    weights: oneOf(
      ['healed', 'plain'],
      'which weights the result has: the plain ones where they are better on the rows held out',
    ),
    out: nullable(text('folder of the new checkpoint, absolute')),
    patch: nullable(text('file of the patch, absolute')),
    leftBehind: optional(leftBehind),
    ...computed,
    writingSeconds: seconds('seconds in which the model wrote its text; 0 without'),
  },
  'what healing changed, and how near the model is to the original',
);
export type HealResult = ValueOf<typeof healResult>;
