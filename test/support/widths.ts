/** Widths by hand, and the float64 reference of a narrower model: the whole one with inputs of o_proj and down_proj at zero. */
import type { Architecture } from '../../src/engine/checkpoint/architecture';
import { groupsOf, type Width } from '../../src/engine/checkpoint/width';
import { plainShape } from '../../src/engine/checkpoint/kinds/plain';
import { lastLinear, type ReferenceModel, type ReferenceTensor } from '../reference/forward';
import { normal, uniform } from './random';

/** Keeps every group and neuron with probability `share`, at least one of each. */
export function randomWidth(
  { layers, hidden }: Pick<Architecture, 'layers' | 'hidden'>,
  { seed = 1, share = 0.6, biases = false }: { seed?: number; share?: number; biases?: boolean } = {},
): Width {
  const next = uniform(seed);
  const some = (count: number): number[] => {
    const kept = Array.from({ length: count }, (_, i) => i).filter(() => next() < share);
    return kept.length > 0 ? kept : [count - 1];
  };
  const gaussian = normal(seed + 1);
  const vector = (): Float32Array => Float32Array.from({ length: hidden }, () => 0.1 * gaussian());
  return {
    layers: layers.map(plainShape).map((shape) => ({ groups: some(groupsOf(shape)), neurons: some(shape.ffn) })),
    ...(biases && { biases: layers.map(() => ({ o: vector(), down: vector() })) }),
  };
}

/**
 * What a width means, without cutting anything: the removed inputs of o_proj and down_proj do not count, and the biases
 * are added.
 */
export function masked(model: ReferenceModel, { layers, biases }: Width): ReferenceModel {
  const tensors = new Map(model.tensors);
  layers.forEach(({ groups, neurons }, block) => {
    const { heads, kvHeads, headDim } = model.config.layers[block];
    // A norm over all heads at once makes one group of them.
    const size = model.config.wideQkNorm ? heads * headDim : (heads / kvHeads) * headDim;
    for (const [part, isKept] of [
      ['attention', (column: number) => groups.includes(Math.floor(column / size))],
      ['ffn', (column: number) => neurons.includes(column)],
    ] as const) {
      const name = lastLinear(block, part);
      const weight = tensors.get(`${name}.weight`)!;
      tensors.set(`${name}.weight`, onlyColumns(weight, isKept));
      const added = biases?.[block][part === 'attention' ? 'o' : 'down'];
      if (added) tensors.set(`${name}.bias`, sum(added, tensors.get(`${name}.bias`)));
    }
  });
  return { ...model, tensors };
}

function onlyColumns({ shape, values }: ReferenceTensor, isKept: (column: number) => boolean): ReferenceTensor {
  return { shape, values: Float64Array.from(values, (value, i) => (isKept(i % shape[1]) ? value : 0)) };
}

const sum = (added: Float32Array, own?: ReferenceTensor): ReferenceTensor => ({
  shape: [added.length],
  values: Float64Array.from(added, (value, i) => value + (own?.values[i] ?? 0)),
});
