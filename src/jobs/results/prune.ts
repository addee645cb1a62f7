/** The results of "prune" and "merge": a written checkpoint, and what it saves. */
import { MODULE_COSTS } from '../../engine/importance/module-cost';
import { list, nullable, number, oneOf, optional, real, shape, text, whole, type ValueOf } from '../result';
import { half, kl, meanNll, ppl, removed, removedBlocks, slices, written } from './common';
import { healResult } from './heal';

const round = shape(
  {
    removed: { ...removedBlocks, words: 'the blocks that went in this round' },
    ppl: optional(real<number>('perplexity of the model that was healed after it', { better: 'less' })),
    kl: optional(real<number>('its mean KL divergence from the original', { unit: 'nats', better: 'less' })),
  },
  'a round',
);

const part = shape(
  {
    block: whole('the block'),
    part: optional({ ...half, words: 'which half of it; absent for all of it' }),
    parameters: whole('parameters that go with it'),
    bytes: whole('bytes that go with it', { unit: 'bytes' }),
  },
  'a part',
);

/** Of a choice among attention and FFN. */
const byModule = {
  parts: optional(list(part, 'by module: what would go, whole blocks first')),
  leftOut: optional({ ...removed, words: 'by module: the same as the option `--remove` takes it' }),
  cost: optional(oneOf(MODULE_COSTS, 'by module, in turn or as a set: what the choice saves')),
  saves: optional(real('how much of that, in bytes, or in seconds over some rows')),
  measured: optional(
    shape(
      { ppl, meanNll, kl: optional(kl) },
      'by module, in turn or as a set: the model without them on the calibration rows; of healed, after its healing',
    ),
  ),
};

export const pruneResult = shape(
  {
    ...written,
    out: nullable({ ...written.out, words: 'the new checkpoint, absolute; null if nothing was written' }),
    slices,
    ...byModule,
    rounds: optional(list(round, 'of several rounds: what each removed, and what was left after healing it')),
    healing: optional({ ...healResult, words: 'of the new checkpoint, if it was healed' }),
  },
  'a checkpoint without some blocks',
);
export type PruneResult = ValueOf<typeof pruneResult>;

export const mergeResult = shape(
  {
    ...written,
    rank: whole('rank of the adapter'),
    alpha: number('its alpha'),
    targets: list(text('a name'), 'its matrices'),
    adaptedBlocks: whole('blocks with matrices of the adapter'),
    dtype: nullable(oneOf(['F32', 'BF16', 'F16'], 'type of the new weights; null where each keeps its own')),
  },
  'a checkpoint with an adapter in its weights',
);
export type MergeResult = ValueOf<typeof mergeResult>;
