/** The result of "grid": speed and memory of models over batches and lengths. */
import { PRECISIONS } from '../../engine/precision';
import { flag, list, nullable, number, numbers, oneOf, optional, shape, text, whole, type ValueOf } from '../result';
import { columnInfo, computed, spread } from './common';

const bytes = (words: string) => number(words, { unit: 'bytes', better: 'less' });

const predicted = shape(
  {
    weights: bytes('weights'),
    cache: bytes('all copies of the cache'),
    activations: bytes('activations'),
    head: bytes('the head'),
    fixed: bytes('code, runtime and slack of the allocator'),
    total: bytes('all together'),
  },
  'predicted memory',
);

const figures = shape(
  {
    times: numbers('seconds of each measured run'),
    latency: { ...spread('seconds of a run', 's'), better: 'less' },
    throughput: { ...spread('tokens a second', 'tokens/s'), better: 'more' },
    firstToken: spread('seconds to the first token of every text', 's'),
    laterToken: nullable(spread('seconds to each later one; null for a single token', 's')),
    peakBytes: spread('bytes of the process at the peak of a run, with this model alone', 'bytes'),
    busy: number("share of the processors' time"),
    compute: number('share of peak matrix throughput'),
    bandwidth: nullable(number('share of the rate at which memory is read; null where that is not known')),
    floor: number('seconds that a run takes at least on this device', { unit: 's' }),
    speedUp: nullable(number('of the throughput, against the first model; null without one', { better: 'more' })),
    floorSpeedUp: nullable(number('of the floors', { better: 'more' })),
    memorySaved: nullable(number('bytes less than the first model needed', { unit: 'bytes', better: 'more' })),
  },
  'measured numbers',
);

const cell = shape(
  {
    batch: whole('texts side by side (M)'),
    newTokens: whole('new tokens of each (L)'),
    predicted,
    outcome: oneOf(['measured', 'oom', 'failed'], 'oom: not run, because the prediction exceeds the limit'),
    failure: optional(text('why it failed')),
    measured: optional(figures),
  },
  'a batch and a length',
);

const model = shape(
  {
    ...columnInfo,
    parameters: optional(whole('parameters')),
    bytes: optional(whole('bytes of its tensors', { unit: 'bytes' })),
    blocks: optional(whole('blocks with attention or FFN')),
    ideal: optional(nullable(number('the speed-up if time were blocks alone; null for the first model'))),
    promptTokens: optional(whole('tokens of a prompt')),
    cells: list(cell, 'one for each length and batch, lengths first'),
    failure: optional(text('why it could not be measured; then it has no cells')),
  },
  'a model',
);
export type GridModel = ValueOf<typeof model>;

const environment = shape(
  {
    processor: text('processor'),
    threads: whole('threads'),
    dtype: oneOf(PRECISIONS, 'the arithmetic'),
    attention: text('how attention is computed'),
    cache: text('how the cache is kept'),
    coppice: text('version of Coppice'),
    onnxruntime: text('version of onnxruntime'),
    node: text('version of Node'),
    system: text('operating system'),
    loadBefore: nullable(number('mean number of waiting programs in the minute before; null if not known')),
  },
  'where it was measured',
);

const rates = shape(
  {
    flopsPerSecond: number('peak matrix throughput, in operations a second'),
    bytesPerSecond: optional(number('bytes a second that are read; absent where it cannot be measured')),
  },
  'rates of the device',
);

export type GridEnvironment = ValueOf<typeof environment>;

/** How models were timed. */
export const timed = {
  runs: whole('measured runs'),
  warmup: whole('warm-up runs before them'),
  prompt: text('what the texts begin with, in words'),
  inTurns: flag('the models took turns, run by run'),
  environment,
};

export const gridResult = shape(
  {
    batches: numbers('texts side by side (M), ascending'),
    newTokens: numbers('new tokens of each (L), ascending'),
    ...timed,
    models: list(model, 'the models; others are compared with the first one'),
    rates: shape({ before: rates, after: rates }, 'before the measurements and after them'),
    limitBytes: number("bytes that a model's process may take", { unit: 'bytes' }),
    ...computed,
  },
  'speed and memory of models over batches and lengths',
);
export type GridResult = ValueOf<typeof gridResult>;
