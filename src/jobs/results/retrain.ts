/** The result of "retrain": what was trained, and what was written. */
import { BOS_MODES } from '../../format/bos';
import { ALL_SHARES } from '../../format/text-share';
import { list, nullable, number, oneOf, optional, real, seconds, shape, text, whole, type ValueOf } from '../result';
import { computed, kl, removedBlocks, top1 } from './common';
import { healResult } from './heal';

const loss = real<number>('mean loss', { unit: 'nats', better: 'less' });
const ppl = real<number>('perplexity', { better: 'less' });
const speed = number('tokens a second', { unit: 'tokens/s', better: 'more' });
const step = whole('the step');

const examples = {
  examples: whole('examples'),
  tokens: whole('their tokens'),
  targets: whole('tokens to learn'),
};

const likeness = (words: string) =>
  shape(
    {
      kl: real<number>(kl.words, { unit: 'nats', better: 'less' }),
      top1: real<number>(top1.words, { better: 'more' }),
      tokens: whole('their number'),
    },
    words,
  );

const evaluation = (words: string) => shape({ step, loss, ppl }, words);

const data = shape(
  {
    files: list(
      shape(
        {
          file: text('its name'),
          sha256: text('SHA-256 of the file'),
          kind: oneOf(['text', 'documents', 'instructions', 'chat', 'batches'], 'what it holds'),
          share: optional(oneOf(ALL_SHARES, 'the share that was read; all of it when absent')),
        },
        'a file',
      ),
      'files of data',
    ),
    length: whole('tokens of an example at most'),
    seed: whole('seed of the order'),
    train: shape(examples, 'what is learned'),
    heldOut: shape({ ...examples, looked: whole('examples of an evaluation') }, 'what is held out'),
    dropped: whole('records without a target within the length, left out'),
    truncated: whole('records that were cut at the length'),
    bos: optional(oneOf(BOS_MODES, 'where the begin-of-text token is; absent for batches of ids')),
  },
  'the data',
);

export const retrainResult = shape(
  {
    kind: oneOf(['adapter', 'checkpoint'], 'what was written'),
    adapter: nullable(text('folder of the adapter, absolute; null if a checkpoint was written')),
    out: text('what was written, absolute'),
    steps: whole('steps of the optimiser'),
    trace: list(
      shape(
        {
          step,
          loss,
          lr: number('learning rate'),
          gradNorm: real<number>('norm of the gradient'),
          tokensPerSecond: speed,
        },
        'a step',
      ),
      'its steps',
    ),
    evaluations: list(evaluation('an evaluation'), 'evaluations on the part that is held out'),
    best: nullable(evaluation('the evaluation whose parameters were kept; null if nothing is held out')),
    unpruned: optional(shape({ loss, ppl }, 'the original on the same rows')),
    likeness: optional(
      shape(
        { before: likeness('before the training'), after: likeness('after it') },
        'how near the model is to the original on tokens that were held out',
      ),
    ),
    stopped: optional(
      shape(
        { step, why: text('why'), kept: whole('the step whose parameters were kept') },
        'set when the loss exploded',
      ),
    ),
    healing: optional({ ...healResult, words: 'what healing before the training did, if this run healed' }),
    parameters: whole('parameters that were trained'),
    removed: removedBlocks,
    data,
    tokensPerSecond: speed,
    ...computed,
    seconds: seconds('seconds of this process, from opening the data'),
    peakRssBytes: whole('peak memory of the process', { unit: 'bytes', better: 'less' }),
  },
  'what was trained, and what was written',
);
export type RetrainResult = ValueOf<typeof retrainResult>;
