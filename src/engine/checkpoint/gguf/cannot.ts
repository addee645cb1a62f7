/** Models that llama.cpp would compute otherwise. */
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '../../errors';
import type { GgufShape } from './shapes';

export const INSTEAD = 'Write safetensors or ONNX in place of it.';

/** For models that are not written as ONNX either. */
export const SAFETENSORS = 'Write safetensors in place of it.';

/** @param why a clause: "its blocks differ" */
export function cannotWrite(why: string, action = INSTEAD): UserError {
  return new UserError('The model cannot be written as GGUF', why, action);
}

/** The value that all blocks have. @throws UserError if they differ */
export function shared<K extends keyof GgufShape>(layers: readonly GgufShape[], key: K, what: string): GgufShape[K] {
  const [first] = layers;
  if (layers.every((layer) => isDeepStrictEqual(layer[key], first[key]))) return first[key];
  throw cannotWrite(`its blocks have ${what}, and llama.cpp has no architecture for that`);
}
