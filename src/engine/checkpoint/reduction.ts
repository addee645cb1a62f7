/** Describes a removal in numbers and words: 0-based lists, half-open slices, the exact reduction. */
import { formatCount } from '../../format/numbers';
import { GGUF_ALIGNMENT } from '../formats/gguf/layout';
import { GGUF_NOTES_BYTES, NOTES_BYTES } from './file-bytes';
import { isGgufCheckpoint } from './gguf/name';
import { requireArchitecture } from './open';
import { layerParameters, moduleOf, moduleParameters, parametersOf } from './parameters';
import { stacksIn } from './stacks';
import type { Checkpoint } from './types';
import { type UsedTensor, usedTensors } from './used-tensors';
import { keysByName } from './weight-key';
import { blockOfTensor } from './weight-names';
import { slicesOf } from '../../format/ranges';
import type { RemovedPart } from '../model/view';
import { keptBlocks, type Slice } from './block-list';

export interface Reduction {
  /** 0-based, ascending. */
  readonly removed: readonly number[];
  readonly kept: readonly number[];
  /** The kept blocks as half-open ranges. */
  readonly slices: readonly Slice[];
  readonly parametersBefore: number;
  readonly parametersAfter: number;
  /** Bytes of the model's files: weights with their headers, tokenizer, config, model card and record. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
}

/** Parameters and bytes of a model or of one of its blocks. */
export interface Weight {
  readonly parameters: number;
  readonly bytes: number;
}

/** The reduction by removing `removed` (ascending) from a model whose blocks have the sizes `perBlock`. */
export function reductionOf(removed: readonly number[], whole: Weight, perBlock: readonly Weight[]): Reduction {
  const kept = keptBlocks(perBlock.length, removed);
  const gone = (key: keyof Weight): number => removed.reduce((sum, block) => sum + perBlock[block][key], 0);
  return {
    removed,
    kept,
    slices: slicesOf(kept),
    parametersBefore: whole.parameters,
    parametersAfter: whole.parameters - gone('parameters'),
    bytesBefore: whole.bytes,
    bytesAfter: whole.bytes - gone('bytes'),
  };
}

/** The reduction by removing `removed` (ascending, may be empty) from a checkpoint, in its format. The tensors keep their types. */
export function checkpointReduction(checkpoint: Checkpoint, removed: readonly number[]): Reduction {
  const reduction = reductionOf(removed, wholeModel(checkpoint), blocksOf(checkpoint));
  return { ...reduction, bytesAfter: asWritten(checkpoint, reduction.bytesAfter, removed.length > 0) };
}

/** A part that is left out, and what that saves. */
export type SavedPart = RemovedPart & Weight;

/**
 * The same by leaving out parts; no block is named twice. `removed` are the whole blocks among them, and `kept` all others.
 * No checkpoint is written without single modules: the bytes are what its files would have.
 */
export function partsReduction(
  checkpoint: Checkpoint,
  parts: readonly RemovedPart[],
): Reduction & { readonly parts: readonly SavedPart[] } {
  const architecture = requireArchitecture(checkpoint);
  const [blocks, bytes] = [blocksOf(checkpoint), moduleBytes(checkpoint)];
  const saved = parts.map(({ block, part }): SavedPart => {
    if (part === undefined) return { block, ...blocks[block] };
    return { block, part, parameters: moduleParameters(architecture, block)[part], bytes: bytes[block][part] };
  });
  const whole = saved.filter(({ part }) => part === undefined).map(({ block }) => block);
  const reduction = reductionOf(
    whole.sort((a, b) => a - b),
    wholeModel(checkpoint),
    blocks,
  );
  const ofModules = (key: keyof Weight): number =>
    saved.reduce((sum, each) => sum + (each.part === undefined ? 0 : each[key]), 0);
  return {
    ...reduction,
    parametersAfter: reduction.parametersAfter - ofModules('parameters'),
    bytesAfter: asWritten(checkpoint, reduction.bytesAfter - ofModules('bytes'), parts.length > 0),
    parts: saved,
  };
}

const wholeModel = (checkpoint: Checkpoint): Weight => ({
  parameters: parametersOf(requireArchitecture(checkpoint)),
  bytes: wholeBytes(checkpoint),
});

/** Of each block, in order. */
function blocksOf(checkpoint: Checkpoint): Weight[] {
  const bytes = blockBytes(checkpoint);
  return layerParameters(requireArchitecture(checkpoint)).map((parameters, i) => ({ parameters, bytes: bytes[i] }));
}

/** Bytes of the model's files if it has only the tensors that are used: single modules may be left out too. */
export function usedBytes(checkpoint: Checkpoint, used: (tensor: UsedTensor) => boolean): number {
  const own = sizeInFile(checkpoint);
  const unused = usedTensors(checkpoint).filter((tensor) => !used(tensor));
  const left = unused.reduce((bytes, tensor) => bytes - own(tensor), wholeBytes(checkpoint));
  return asWritten(checkpoint, left, unused.length > 0);
}

/** Of the model with all its blocks: without the tensors of other parts, and as narrow as it is used. */
function wholeBytes(checkpoint: Checkpoint): number {
  const { size, tensors, narrowing, others } = checkpoint;
  if (!narrowing && !others) return size.all;
  const own = sizeInFile(checkpoint);
  const sum = (all: Iterable<UsedTensor>): number => [...all].reduce((total, tensor) => total + own(tensor), 0);
  return size.all - sum(tensors.values()) + sum(usedTensors(checkpoint));
}

const asWritten = (checkpoint: Checkpoint, bytes: number, isPruned: boolean): number =>
  isPruned || checkpoint.narrowing ? bytes + moreWhenWritten(checkpoint) : bytes;

/** Bytes of the files of each block, in order. */
export function blockBytes(checkpoint: Checkpoint): number[] {
  const own = sizeInFile(checkpoint);
  const bytes = requireArchitecture(checkpoint).layers.map(() => 0);
  for (const tensor of usedTensors(checkpoint)) {
    const block = blockOfTensor(tensor.name)?.block;
    if (block !== undefined && block < bytes.length) bytes[block] += own(tensor);
  }
  return bytes;
}

/** Bytes of the files of each block's modules, each with its norms, in order. */
export function moduleBytes(checkpoint: Checkpoint): { attention: number; ffn: number }[] {
  const own = sizeInFile(checkpoint);
  const architecture = requireArchitecture(checkpoint);
  const keys = keysByName(architecture);
  // What holds several weights is a part of the module of any of them.
  for (const { name, scales, layer, parts } of stacksIn(architecture, checkpoint.tensors).values()) {
    for (const stack of [name, ...(scales ? [scales.name] : [])]) keys.set(stack, { layer, name: parts[0].name });
  }
  const bytes = architecture.layers.map(() => ({ attention: 0, ffn: 0 }));
  for (const tensor of usedTensors(checkpoint)) {
    const key = keys.get(tensor.name);
    if (key !== undefined && typeof key !== 'string') bytes[key.layer][moduleOf(architecture, key)] += own(tensor);
  }
  return bytes;
}

/** What a model that is written has more than its source: a card and a record of its own instead of those of the source. */
export const moreWhenWritten = (checkpoint: Checkpoint): number =>
  isGgufCheckpoint(checkpoint) ? GGUF_NOTES_BYTES : NOTES_BYTES - checkpoint.size.own;

/** Bytes that a file has because of a tensor: its numbers, its entry in the header, and the gap behind it. */
function sizeInFile(checkpoint: Checkpoint): (tensor: UsedTensor) => number {
  if (isGgufCheckpoint(checkpoint)) {
    return ({ bytes, shape }) => Math.ceil(bytes / GGUF_ALIGNMENT) * GGUF_ALIGNMENT + GGUF_ENTRY + 8 * shape.length;
  }
  return ({ name, dtype, shape, bytes }) =>
    bytes + JSON.stringify({ [name]: { dtype, shape, data_offsets: PLACE } }).length - 1;
}

/** An entry of the header but for its dimensions: a name of about 20 letters with its length, their number, type and place. */
const GGUF_ENTRY = 44;
/** Most tensors begin and end beyond the first megabyte. */
const PLACE = [10 ** 7, 10 ** 7];

/** The reduction as lines of text. */
export function describeReduction(reduction: Reduction): string[] {
  const { removed, kept, slices } = reduction;
  return [
    `removed     ${removed.join(', ')} (${removed.length} of ${removed.length + kept.length} blocks, numbered from 0)`,
    `kept        ${kept.join(', ')}`,
    `slices      ${slices.map(([start, end]) => `[${start}, ${end})`).join(' ')} (end not included)`,
    ...describeSizes(reduction),
  ];
}

/** Its lines of parameters and bytes. */
export const describeSizes = (sizes: Omit<Reduction, 'removed' | 'kept' | 'slices'>): string[] => {
  const { parametersBefore, parametersAfter, bytesBefore, bytesAfter } = sizes;
  return [
    `parameters  ${formatCount(parametersBefore)} → ${formatCount(parametersAfter)} (${share(parametersBefore, parametersAfter)})`,
    `bytes       ${formatCount(bytesBefore)} → ${formatCount(bytesAfter)} (${share(bytesBefore, bytesAfter)})`,
  ];
};

/** "−18.02 %": the change from `before` to `after`; "+68.42 %" if a wider type makes it larger. */
function share(before: number, after: number): string {
  return `${after > before ? '+' : '−'}${((100 * Math.abs(before - after)) / before).toFixed(2)} %`;
}
