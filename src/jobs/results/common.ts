/** Fields that results of several jobs have. */
import { PRECISIONS } from '../../engine/precision';
import {
  list,
  nullable,
  number,
  oneOf,
  optional,
  pair,
  part,
  real,
  seconds,
  shape,
  text,
  whole,
  type Shaped,
  type ValueOf,
} from '../result';

export const removed = list(part('a block, or a module such as "12.ffn"'), 'blocks and modules that are left out');
/** A block, or half of it. */
export const half = oneOf(['attention', 'ffn'], 'which half of it');
export const removedBlocks = list(whole('a block'), 'removed blocks, from 0, ascending');

/** What computed it, how exactly, and how long it took. */
export const device = text('what computed it: cpu, webgpu …');
export const precision = oneOf(PRECISIONS, 'the arithmetic');
export const computed = { seconds: seconds('seconds of the whole job'), device, precision };

/** Files on top of a checkpoint, by name. */
const onTop = {
  width: optional(text('file of the width that is kept')),
  patch: optional(text('file of healed weights')),
  adapter: optional(text('folder of an adapter')),
};

/** One of several models. */
export const column = {
  label: text("the user's name for the model"),
  model: text('name of the model'),
  removed,
  ...onTop,
};

export const columnInfo = {
  ...column,
  identity: optional(text("identity of the model's files; absent if they cannot be opened")),
};
/** A column as results and records have it. */
export type ColumnInfo = Shaped<typeof columnInfo>;

export const modelRead = shape(
  { name: text('name of the model'), path: text('its path'), identity: text('identity of its files') },
  'the model',
);

/** Rows of a text. */
export const rowsOfText = {
  name: text('name of the text'),
  sha256: text('SHA-256 of the file'),
  rows: whole('its rows'),
  length: whole('tokens of a row'),
};
export const measuredText = shape(rowsOfText, 'what was measured on');

export const ppl = real('perplexity', { better: 'less' });
export const meanNll = real('mean loss of a token', { unit: 'nats', better: 'less' });
export const kl = real('mean KL divergence from the original', { unit: 'nats', better: 'less' });
export const top1 = real('share of positions where both find the same token most likely', { better: 'more' });

/** How near a model is to the original, on rows of text. */
export const healNumbers = shape({ meanNll, ppl, kl, top1 }, 'how near the model is to the original');
export type HealNumbers = ValueOf<typeof healNumbers>;

export const leftBehind = list(
  shape({ name: text('name of the file'), why: text('why it was not copied') }, 'a file'),
  'files of the model that were not copied',
);

const parametersBefore = whole('parameters of the model');
const parametersAfter = whole('parameters of what was written', { better: 'less' });
export const sizes = { parametersBefore, parametersAfter };

/** A written checkpoint and what it saves. */
export const written = {
  removed: removedBlocks,
  kept: list(whole('a block'), 'kept blocks, ascending'),
  ...sizes,
  bytesBefore: whole('bytes of the tensors before', { unit: 'bytes' }),
  bytesAfter: whole('bytes of the tensors after', { unit: 'bytes', better: 'less' }),
  out: text('the new checkpoint, absolute'),
  leftBehind,
  seconds: computed.seconds,
};

export const slices = list(
  pair(whole('a block'), 'from a block up to another one'),
  'the kept blocks as half-open ranges',
);

export const spread = (words: string, unit: string) =>
  shape({ mean: number('mean', { unit }), sd: number('population deviation', { unit }) }, words);

export const paired = {
  difference: number('model − first, as a share', { better: 'more' }),
  interval: nullable(number('half of the 95 % interval of the paired difference')),
};
