/** The result of "versus": depth against width at equal size. */
import { VERSUS_METHODS } from '../../engine/evaluate/versus-methods';
import { list, nullable, number, oneOf, optional, seconds, shape, text, whole, type ValueOf } from '../result';
import { computed, meanNll, paired, ppl, removed, rowsOfText, spread } from './common';
import { timed } from './grid';

const model = shape(
  {
    method: oneOf(
      ['whole', 'plan', ...VERSUS_METHODS],
      "how it was made: whole, plan for the user's own choice, or a method",
    ),
    kind: oneOf(['whole', 'depth', 'width'], 'what was pruned'),
    label: text('its name'),
    count: whole('removed blocks; of a rival, those whose removal gives its size'),
    removed: { ...removed, words: 'blocks and modules that are left out; empty for a rival' },
    ratio: optional(number('the share that a rival was told to take from each block')),
    parameters: optional(whole('parameters')),
    blocks: optional(whole('blocks that are left')),
    heads: optional(spread('query heads of a block', '')),
    ffn: optional(spread('FFN neurons of a block', '')),
    ppl: optional(ppl),
    meanNll: optional(meanNll),
    accuracy: optional(number('mean of the tasks', { better: 'more' })),
    difference: optional(shape(paired, 'of the accuracy to the original on the same items')),
    tasks: optional(
      list(shape({ name: text('the task'), accuracy: number('accuracy', { better: 'more' }) }, 'a task'), 'the tasks'),
    ),
    latency: optional({ ...spread('seconds of a run', 's'), better: 'less' }),
    throughput: optional({ ...spread('tokens a second', 'tokens/s'), better: 'more' }),
    memoryBytes: optional(number('predicted memory of it alone', { unit: 'bytes', better: 'less' })),
    speedUp: optional(nullable(number('of the throughput, against the original', { better: 'more' }))),
    speedFailure: optional(text('why there is no speed')),
    continuation: optional(text('what it makes of the prompt, greedily')),
    pruningSeconds: optional(seconds('to make this model alone')),
    failure: optional(text('why there is no such model; then it has no numbers')),
  },
  'a model of the comparison',
);
export type VersusModel = ValueOf<typeof model>;

export const versusResult = shape(
  {
    model: shape({ name: text('its name'), identity: text('identity of its files') }, 'the original'),
    methods: list(oneOf(VERSUS_METHODS, 'a method'), 'the methods'),
    sizes: list(
      shape({ count: whole('removed blocks'), parameters: whole('parameters without as many') }, 'a size'),
      'numbers of removed blocks, ascending',
    ),
    models: list(model, 'the original first, then size by size'),
    text: shape(
      { from: oneOf(['text', 'calibration'], 'whether it is a text of its own'), ...rowsOfText },
      'what perplexity was measured on',
    ),
    prompt: optional(text('what the models continued')),
    speed: optional(
      shape(
        { batch: whole('texts side by side'), newTokens: whole('new tokens of each'), ...timed },
        'how speed was measured',
      ),
    ),
    ended: oneOf(['done', 'cancelled'], 'cancelled: the rest is missing'),
    ...computed,
  },
  'depth and width pruning at equal size',
);
export type VersusResult = ValueOf<typeof versusResult>;
