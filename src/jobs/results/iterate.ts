/** The result of "iterate": its rounds, and what was written. */
import { ITERATIVE_METHODS } from '../../engine/iterate/methods';
import { list, nullable, number, oneOf, optional, real, seconds, shape, text, whole, type ValueOf } from '../result';
import { computed, healNumbers, measuredText, modelRead, removedBlocks, slices, written } from './common';

const recovery = shape(
  {
    nll: real('mean loss of the pruned model − mean loss of the healed one', { unit: 'nats', better: 'more' }),
    share: nullable(
      real('the same as a share of what is missing to the original; null where nothing is', { better: 'more' }),
    ),
    nllPerSecond: nullable(real('nats for each second of training; null where none was spent')),
    sharePerSecond: nullable(real('the share for each second of training')),
  },
  'what healing brought back',
);

const traced = shape(
  {
    step: whole('the step'),
    loss: real('mean loss of its batch', { unit: 'nats' }),
    lr: number('learning rate'),
    gradNorm: real('norm of the gradient'),
    tokensPerSecond: real('speed', { unit: 'tokens/s' }),
  },
  'a step',
);

/** A model before and after healing, on the measured rows. */
const point = {
  removed: removedBlocks,
  pruned: { ...healNumbers, words: 'before healing' },
  healed: { ...healNumbers, words: 'after healing' },
  recovery,
  trainingSeconds: seconds('seconds of training, or of the closed form'),
  steps: whole('steps of the optimiser'),
  weights: oneOf(['healed', 'plain'], 'which weights are used'),
  trace: list(traced, 'losses of the steps'),
};

const scored = shape(
  {
    block: whole('the block'),
    score: real('its score', { better: 'more' }),
    meanNll: optional(real('mean loss without it', { unit: 'nats' })),
    kl: optional(real('KL divergence without it', { unit: 'nats' })),
  },
  'a candidate',
);

const round = shape(
  {
    ...point,
    round: whole('1, 2, …'),
    block: whole('the block that went'),
    score: real('its score'),
    scores: list(scored, 'scores of all candidates'),
    accuracy: optional(real('mean accuracy of the healed model in the tasks', { better: 'more' })),
    probeLoss: optional(
      real('the most that the healed model loses in a probe which the original can do', { better: 'less' }),
    ),
    seconds: seconds('seconds of the round'),
  },
  'a round: one block goes, and the rest is healed',
);

/** What each round brought; of prune as well, in records of earlier versions. */
export const iterative = {
  method: oneOf(ITERATIVE_METHODS, 'what heals after each round'),
  text: measuredText,
  full: { ...healNumbers, words: 'the original' },
  rounds: list(round, 'the rounds'),
  ended: oneOf(['count', 'limit', 'blocks'], 'why no further block was removed'),
  plain: list(healNumbers, 'the original weights without the blocks of the first 1, 2, … rounds'),
  recovery,
  oneShot: list(
    shape({ ...point, count: whole('removed blocks') }, 'so many blocks removed at once'),
    'blocks removed at once, by count; empty if that was not asked for',
  ),
};

export const iterateResult = shape(
  {
    ...written,
    model: modelRead,
    criterion: text('how blocks were chosen'),
    ...iterative,
    beyond: optional({ ...round, words: 'the round that went beyond a limit, and is no part of the result' }),
    slices,
    ...computed,
  },
  'the rounds of an iterative pruning, and what was written',
);
export type IterateResult = ValueOf<typeof iterateResult>;
