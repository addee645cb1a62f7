/** The result of "experts": what every expert is worth, which ones stay, and the loss before and after. */
import { EXPERT_CRITERIA } from '../../engine/importance/experts/criteria';
import {
  flag,
  list,
  nullable,
  number,
  numbers,
  oneOf,
  optional,
  real,
  shape,
  text,
  whole,
  type ValueOf,
} from '../result';
import { computed, kl, leftBehind, meanNll, modelRead, ppl, removedBlocks, rowsOfText, top1 } from './common';

const nats = { unit: 'nats', better: 'less' } as const;

const block = shape(
  {
    index: whole('number of the block in the original'),
    scores: list(real<number>('a score'), 'score of each expert by the criterion; the lowest go first'),
    tokens: list(whole('a number of tokens'), 'tokens that were routed to each expert'),
    gateMean: numbers('mean weight of each expert over these tokens; 0 for an expert without any'),
    kept: numbers('experts that stay, from 0, ascending'),
  },
  'a block with experts',
);

const rescale = shape(
  {
    applied: flag('whether kept experts are multiplied by the factors: they are where KL divergence falls'),
    heldOut: shape(
      {
        rows: whole('calibration rows that were not fitted'),
        without: real<number>('mean KL divergence from the original on them, without factors', nats),
        with: real<number>('the same with factors', nats),
      },
      'what decided',
    ),
    factors: list(
      shape(
        {
          index: whole('number of the block in the original'),
          factors: numbers('of each expert that stays; 1 of one that no token reached'),
        },
        'a block with experts',
      ),
      'the factors that were fitted, applied or not',
    ),
  },
  'the rescaling of kept experts; absent if it was not asked for',
);

export const expertsResult = shape(
  {
    model: modelRead,
    criterion: oneOf(EXPERT_CRITERIA, 'how experts were chosen'),
    experts: shape(
      {
        before: whole('experts of a block'),
        after: whole('those that stay', { better: 'less' }),
        perToken: whole('experts of a token'),
      },
      'experts of each block that has some',
    ),
    removed: removedBlocks,
    blocks: list(block, 'every block with experts that is not removed'),
    unrouted: whole('experts without any token; they go first'),
    parameters: whole('parameters of the model with fewer experts', { better: 'less' }),
    parametersBefore: whole('parameters of the original'),
    rescale: optional(rescale),
    calibration: nullable(shape(rowsOfText, 'the rows whose tokens were routed; null if the scores were read')),
    text: nullable(shape(rowsOfText, 'the rows on which both losses were measured; null if none was')),
    before: nullable(shape({ meanNll, ppl }, 'the original; null if it was not measured')),
    after: nullable(shape({ meanNll, ppl, kl, top1 }, 'the model with fewer experts; null if it was not measured')),
    out: nullable(text('GGUF file, or folder of the new checkpoint, absolute; null if nothing was written')),
    bytesBefore: optional(whole('bytes of the files of the original', { unit: 'bytes' })),
    bytesAfter: optional(
      whole('bytes of the files with fewer experts, written or not; absent where none can be written', {
        unit: 'bytes',
        better: 'less',
      }),
    ),
    leftBehind: optional(leftBehind),
    scoringSeconds: number('seconds of the pass that scored; 0 if the scores were read', { unit: 's', better: 'less' }),
    ...computed,
    device: nullable(computed.device),
  },
  'what every expert is worth, and which ones stay',
);
export type ExpertsResult = ValueOf<typeof expertsResult>;
