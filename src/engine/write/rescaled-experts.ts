/** How a checkpoint is written whose kept experts have factors: the numbers of their down_proj, rounded once to the stored type. */
import { expertBlocks, type KeptExperts } from '../checkpoint/kept-experts';
import { expertLinear, ofExpert } from '../checkpoint/kinds/experts';
import { requireArchitecture } from '../checkpoint/open';
import { type FoundStack, stacksIn } from '../checkpoint/stacks';
import type { Checkpoint } from '../checkpoint/types';
import { type BlockWeightName, keysByName } from '../checkpoint/weight-key';
import { UserError } from '../errors';
import { isWeightDtype } from '../formats/dtype';
import type { TensorInfo } from '../formats/tensor';
import { option } from '../option-token';
import { modelName } from '../records/record';
import { withWeights } from '../weights/checkpoint';
import { readWide, type WeightSource } from '../weights/source';
import type { Rewrite } from './rewrite';
import { isChanged, stackRewrite } from './stacks';

/** @throws UserError for a model whose experts are stored in a type that Coppice does not round to in a copy */
export async function requireRescalable(checkpoint: Checkpoint): Promise<void> {
  await withWeights(checkpoint, (weights) => {
    for (const { block, experts } of expertBlocks(requireArchitecture(checkpoint))) {
      for (let e = 0; e < experts.count; e++) {
        const tensor = weights.stored({ layer: block, name: expertLinear(e, 'down') });
        if (tensor === undefined || !isWeightDtype(tensor.dtype)) throw notRescalable(checkpoint, tensor);
      }
    }
    return Promise.resolve();
  });
}

function notRescalable(checkpoint: Checkpoint, tensor: TensorInfo | undefined): UserError {
  const why =
    tensor === undefined
      ? 'their down_proj is not stored as it is used'
      : tensor.dtype === 'MXFP4'
        ? `"${tensor.name}" is stored as MXFP4, which Coppice only reads`
        : `"${tensor.name}" is stored as ${tensor.dtype}, and would be quantized again`;
  return new UserError(
    `The experts of ${modelName(checkpoint)} cannot be rescaled`,
    why,
    `Leave ${option('rescale')} out, or take the model in BF16, F16 or F32, and quantize the result.`,
  );
}

/**
 * The numbers of tensors that have factors; undefined for a tensor whose bytes are copied.
 * @param weights the model with fewer experts, and their factors
 */
export function rescaledTensors(
  checkpoint: Checkpoint,
  kept: KeptExperts,
  weights: WeightSource,
): (tensor: TensorInfo) => Rewrite | undefined {
  const architecture = requireArchitecture(checkpoint);
  const keys = keysByName(architecture);
  const stacks = new Map(
    [...stacksIn(architecture, checkpoint.tensors)].map(([name, stack]) => [name, withKept(stack, kept)]),
  );
  return ({ name, dtype }) => {
    if (!isWeightDtype(dtype)) return undefined;
    const stack = stacks.get(name);
    if (stack) return isChanged(stack, weights) ? stackRewrite(stack, weights, dtype) : undefined;
    const before = keys.get(name);
    if (before === undefined || typeof before === 'string') return undefined;
    const after = keptName(before.name, kept.get(before.layer));
    if (after === undefined) return undefined;
    const key = { layer: before.layer, name: after };
    return weights.stored(key)
      ? undefined
      : { dtype, shape: weights.shape(key), read: (rows) => readWide(weights, key, rows) };
  };
}

/** The name of a weight of an expert once only some are kept; undefined for one that goes, and for other weights. */
export function keptName(name: string, kept: readonly number[] | undefined): BlockWeightName | undefined {
  const of = ofExpert(name);
  const place = of && kept ? kept.indexOf(of.expert) : -1;
  return of && place !== -1 ? (`experts.${place}.${of.rest}` as BlockWeightName) : undefined;
}

/** A stack with the matrices of kept experts alone; one of a block that is left out stays as it is. */
function withKept(stack: FoundStack, kept: KeptExperts): FoundStack {
  const numbers = kept.get(stack.layer);
  if (!numbers) return { ...stack, parts: [] };
  const parts = stack.parts.flatMap(({ name, place }) => {
    const own = keptName(name, numbers);
    return own === undefined ? [] : [{ name: own, place: { ...place, slice: numbers.indexOf(place.slice) } }];
  });
  return { ...stack, shape: [numbers.length, ...stack.shape.slice(1)], parts };
}
