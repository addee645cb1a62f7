/** The tensors of a model as it is used: those in the files, narrower where the checkpoint is, with biases that it adds. */
import { bytesOfElements } from '../formats/gguf/types';
import type { TensorInfo } from '../formats/tensor';
import { requireArchitecture } from './open';
import { elements } from './parameters';
import { storedWeight } from './stacks';
import type { Checkpoint } from './types';
import { type BlockWeightName, keysByName, type LayerWeightKey, weightKeys, weightOf } from './weight-key';

export type UsedTensor = Pick<TensorInfo, 'name' | 'dtype' | 'shape' | 'bytes'>;

/** In file order, a new bias after the weight of its Linear. */
export function usedTensors(checkpoint: Checkpoint): readonly UsedTensor[] {
  const tensors = modelTensors(checkpoint);
  if (!checkpoint.narrowing) return tensors;
  const architecture = requireArchitecture(checkpoint);
  const keys = keysByName(architecture);
  const added = newBiases(checkpoint);
  return tensors.flatMap((tensor) => {
    const key = keys.get(tensor.name);
    const sized = (name: string, shape: readonly number[]): UsedTensor => {
      return { name, dtype: tensor.dtype, shape, bytes: bytesOfElements(tensor.dtype, elements(shape)) };
    };
    const biases = added.get(tensor.name)?.map((bias) => weightOf(architecture, bias)!) ?? [];
    const shape = (key && weightOf(architecture, key)?.shape) ?? tensor.shape;
    return [sized(tensor.name, shape), ...biases.map((bias) => sized(bias.name, bias.shape))];
  });
}

/** The tensors of the files without those of other parts (a vision tower), in file order. */
export function modelTensors({ tensors, others }: Checkpoint): TensorInfo[] {
  return [...tensors.values()].filter(({ name }) => !others?.has(name));
}

/**
 * The biases of the model that its files do not have, by the tensor of their Linear's weight. They take its type.
 * @param architecture of the model, if it has more biases than the checkpoint's own
 */
export function newBiases(
  checkpoint: Checkpoint,
  architecture = requireArchitecture(checkpoint),
): ReadonlyMap<string, readonly LayerWeightKey[]> {
  const found = new Map<string, LayerWeightKey[]>();
  for (const key of weightKeys(architecture)) {
    if (typeof key === 'string' || !key.name.endsWith('Bias')) continue;
    if (storedWeight(checkpoint, weightOf(architecture, key)!.name)) continue;
    const linear = key.name.slice(0, -'Bias'.length) as BlockWeightName;
    const { name } = weightOf(architecture, { layer: key.layer, name: linear })!;
    found.set(name, [...(found.get(name) ?? []), key]);
  }
  return found;
}
