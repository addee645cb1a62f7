/**
 * Compares config and tensors: every weight of the architecture must exist, with its shape and a type that Coppice
 * computes with.
 */
import { UserError } from '../errors';
import type { Architecture } from './architecture';
import { printable } from '../formats/bounded-json';
import { isWeightDtype } from '../formats/dtype';
import { packedScheme, unsupportedScheme } from './quantization';
import { nameInFiles, partsIn, stacksIn, storedWeight } from './stacks';
import type { Checkpoint, Unsupported } from './types';
import { isPacked } from '../formats/stacked';
import type { TensorInfo } from '../formats/tensor';
import { allWeights, ownHead } from './weight-names';

export interface Verified {
  readonly unsupported?: Unsupported;
  /** As `Checkpoint.parts`. */
  readonly parts?: ReadonlyMap<string, TensorInfo>;
  /** Tensors that the architecture does not use. */
  readonly unused: readonly string[];
}

/** Old checkpoints store the rotary frequencies, although the config determines them. */
export const ROTARY_BUFFER = '.rotary_emb.inv_freq';

/**
 * Throws `UserError` for a missing weight or a wrong shape. Returns the reason for a type that Coppice cannot compute
 * with.
 */
export function verifyTensors(architecture: Architecture, tensors: ReadonlyMap<string, TensorInfo>): Verified {
  const packed = packedScheme(tensors);
  if (packed !== undefined)
    return { unsupported: { ...unsupportedScheme(packed), described: architecture }, unused: [] };
  const stacks = stacksIn(architecture, tensors);
  const parts = partsIn(architecture, tensors, stacks.values());
  const needed = new Set([...stacks.values()].flatMap(({ name, scales }) => [name, ...(scales ? [scales.name] : [])]));
  let odd: TensorInfo | undefined;
  for (const { name, shape } of allWeights(architecture)) {
    needed.add(name);
    const tensor = tensors.get(name) ?? parts.get(name);
    if (!tensor) throw missing(name, architecture, { tensors, parts });
    if (tensor.shape.length !== shape.length || tensor.shape.some((dimension, i) => dimension !== shape[i])) {
      throw new UserError(
        `"${name}" disagrees with config.json`,
        `its shape is [${tensor.shape.join(', ')}], the config expects [${shape.join(', ')}]`,
        'Get config.json and weights from the same revision of the model.',
      );
    }
    if (!isWeightDtype(tensor.dtype) && !isPacked(tensor)) odd ??= tensor;
  }
  const unused = [...tensors.keys()].filter((name) => !needed.has(name) && !name.endsWith(ROTARY_BUFFER));
  if (!odd) return { unused, ...(parts.size > 0 && { parts }) };
  const why = `"${odd.name}" is stored as ${odd.dtype}`;
  const action = 'Coppice computes with F32, F16 and BF16 weights; the checkpoint can be inspected.';
  return { unsupported: { why, action, described: architecture }, unused };
}

function missing(name: string, architecture: Architecture, found: Pick<Checkpoint, 'tensors' | 'parts'>): UserError {
  if (name === ownHead(architecture).name) {
    return new UserError(
      `"${name}" is missing`,
      'the config says that the head has its own matrix (tie_word_embeddings is not true)',
      'Download all weights; where the model shares the embedding, set "tie_word_embeddings": true in config.json.',
    );
  }
  const rest = [...allWeights(architecture)].filter((weight) => !storedWeight(found, weight.name)).length;
  return new UserError(
    `"${printable(nameInFiles(architecture, name), 120)}" is missing`,
    `no file holds ${rest} weight${rest === 1 ? '' : 's'} of the config`,
    'Download all shards, and config.json from the same revision of the model.',
  );
}
