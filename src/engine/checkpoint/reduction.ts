/** Describes a removal in numbers and words: 0-based lists, half-open slices, the exact reduction. */
import { formatCount } from '../../format/numbers';
import { elementTypeOf } from '../formats/dtype';
import { bytesOfElements } from '../formats/gguf/types';
import { requireArchitecture } from './open';
import { elements, layerParameters, parametersOf } from './parameters';
import type { Checkpoint } from './types';
import { type UsedTensor, usedTensors } from './used-tensors';
import { blockOfTensor } from './weight-names';
import { slicesOf } from '../../format/ranges';
import { keptBlocks, type Slice } from './block-list';

export interface Reduction {
  /** 0-based, ascending. */
  readonly removed: readonly number[];
  readonly kept: readonly number[];
  /** The kept blocks as half-open ranges. */
  readonly slices: readonly Slice[];
  readonly parametersBefore: number;
  readonly parametersAfter: number;
  /** Bytes of tensor data. */
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

/**
 * The reduction by removing `removed` (ascending, may be empty) from a checkpoint. The tensors keep their types.
 * @param bytesOf another size of a tensor than its stored one
 */
export function checkpointReduction(
  checkpoint: Checkpoint,
  removed: readonly number[],
  bytesOf: (tensor: UsedTensor) => number = ({ bytes }) => bytes,
): Reduction {
  const architecture = requireArchitecture(checkpoint);
  const perBlock = layerParameters(architecture).map((parameters) => ({ parameters, bytes: 0 }));
  let bytes = 0;
  for (const tensor of usedTensors(checkpoint)) {
    bytes += bytesOf(tensor);
    const block = blockOfTensor(tensor.name)?.block;
    if (block !== undefined && block < perBlock.length) perBlock[block].bytes += bytesOf(tensor);
  }
  return reductionOf(removed, { parameters: parametersOf(architecture), bytes }, perBlock);
}

/** The same, with the size afterwards of a checkpoint in safetensors: blocks of a GGUF file become single numbers there. */
export function writtenReduction(checkpoint: Checkpoint, removed: readonly number[]): Reduction {
  const { bytesAfter } = checkpointReduction(checkpoint, removed, ({ dtype, shape }) => {
    return bytesOfElements(elementTypeOf(dtype), elements(shape));
  });
  return { ...checkpointReduction(checkpoint, removed), bytesAfter };
}

/** The reduction as lines of text. */
export function describeReduction(reduction: Reduction): string[] {
  const { removed, kept, slices, parametersBefore, parametersAfter, bytesBefore, bytesAfter } = reduction;
  return [
    `removed     ${removed.join(', ')} (${removed.length} of ${removed.length + kept.length} blocks, numbered from 0)`,
    `kept        ${kept.join(', ')}`,
    `slices      ${slices.map(([start, end]) => `[${start}, ${end})`).join(' ')} (end not included)`,
    `parameters  ${formatCount(parametersBefore)} → ${formatCount(parametersAfter)} (${share(parametersBefore, parametersAfter)})`,
    `bytes       ${formatCount(bytesBefore)} → ${formatCount(bytesAfter)} (${share(bytesBefore, bytesAfter)})`,
  ];
}

/** "−18.02 %": the change from `before` to `after`; "+68.42 %" if a wider type makes it larger. */
function share(before: number, after: number): string {
  return `${after > before ? '+' : '−'}${((100 * Math.abs(before - after)) / before).toFixed(2)} %`;
}
