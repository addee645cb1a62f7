/** The weights of a model as they lie in its files, so that one who reads them all reads each file from its start to its end. */
import { type WeightKey, weightKeys } from '../checkpoint/weight-key';
import { storedTensor } from '../formats/stored-tensor';
import type { WeightSource } from './source';

/** Computed weights come first, in the model's order. */
export function keysInFileOrder(source: WeightSource): WeightKey[] {
  const placed = [...weightKeys(source.architecture)].map((key) => ({ key, ...placeOf(source, key) }));
  placed.sort((a, b) => (a.file === b.file ? a.offset - b.offset : a.file < b.file ? -1 : 1));
  return placed.map(({ key }) => key);
}

function placeOf(source: WeightSource, key: WeightKey): { readonly file: string; readonly offset: number } {
  const tensor = source.stored(key);
  if (!tensor) return { file: '', offset: 0 };
  const { file, offset } = storedTensor(tensor.halves?.[0] ?? tensor);
  return { file, offset };
}
