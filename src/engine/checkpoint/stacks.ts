/**
 * Tensors that hold a matrix of every expert of a block. transformers 5 has experts so in memory, and some files do. The family
 * says how they lie (families/stacks.ts); a weight that has no tensor of its own is a part of one.
 */
import { UserError } from '../errors';
import { partOfStack, type StackPlace } from '../formats/stacked';
import type { TensorInfo } from '../formats/tensor';
import type { Architecture } from './architecture';
import { familyOf } from './families';
import type { Checkpoint } from './types';
import { type BlockWeightName, weightOf } from './weight-key';

/** A tensor that holds several weights of a block, as a file may have it. */
export interface Stack {
  readonly name: string;
  readonly shape: readonly number[];
  /** A stack of 4-bit floats: the tensor of their scales, and its shape. */
  readonly scales?: { readonly name: string; readonly shape: readonly number[] };
  readonly parts: readonly { readonly name: BlockWeightName; readonly place: StackPlace }[];
}

/** One that a file has. */
export interface FoundStack extends Stack {
  readonly layer: number;
}

/**
 * The stacks among the tensors of a checkpoint, by their names.
 * @throws UserError for one of another shape than the config says
 */
export function stacksIn(
  architecture: Architecture,
  tensors: ReadonlyMap<string, TensorInfo>,
): ReadonlyMap<string, FoundStack> {
  const { stacks } = familyOf(architecture);
  const found = new Map<string, FoundStack>();
  if (!stacks) return found;
  for (const layer of architecture.layers.keys()) {
    for (const stack of stacks(architecture, layer)) {
      if (!tensors.has(stack.name)) continue;
      for (const { name, shape } of [stack, ...(stack.scales ? [stack.scales] : [])])
        requireShape(name, shape, tensors);
      found.set(stack.name, { ...stack, layer });
    }
  }
  return found;
}

/**
 * The stacks that the family's files have where these tensors are of single experts, as those of a GGUF file are. By the name of the weight
 * that comes first in each.
 */
export function stacksToMake(
  architecture: Architecture,
  tensors: ReadonlyMap<string, TensorInfo>,
): ReadonlyMap<string, FoundStack> {
  const { stacks, alwaysStacked } = familyOf(architecture);
  const made = new Map<string, FoundStack>();
  if (!stacks || !alwaysStacked) return made;
  for (const layer of architecture.layers.keys()) {
    for (const stack of stacks(architecture, layer)) {
      const names = partNames(architecture, { ...stack, layer });
      if (names.every((name) => tensors.has(name))) made.set(names[0], { ...stack, layer });
    }
  }
  return made;
}

/** The names that the weights in a stack have by themselves. */
export const partNames = (architecture: Architecture, { layer, parts }: FoundStack): string[] =>
  parts.map(({ name }) => weightOf(architecture, { layer, name })!.name);

function requireShape(name: string, shape: readonly number[], tensors: ReadonlyMap<string, TensorInfo>): void {
  const tensor = tensors.get(name);
  if (tensor?.shape.join() === shape.join()) return;
  const why = tensor ? `its shape is [${tensor.shape.join(', ')}]` : 'it is missing';
  throw new UserError(
    `"${name}" disagrees with config.json`,
    `${why}, the config expects [${shape.join(', ')}]`,
    'Get config.json and weights from the same revision of the model.',
  );
}

/** The weights in stacks, by the names that they would have as tensors of their own. */
export function partsIn(
  architecture: Architecture,
  tensors: ReadonlyMap<string, TensorInfo>,
  stacks: Iterable<FoundStack>,
): ReadonlyMap<string, TensorInfo> {
  const parts = new Map<string, TensorInfo>();
  for (const { name: stack, scales, layer, parts: held } of stacks) {
    for (const { name, place } of held) {
      const own = weightOf(architecture, { layer, name })!.name;
      parts.set(own, partOfStack(tensors.get(stack)!, own, place, scales && tensors.get(scales.name)));
    }
  }
  return parts;
}

/** The name of the tensor in which a file should have a weight. @param name of the weight */
export function nameInFiles(architecture: Architecture, name: string): string {
  const { stacks, alwaysStacked } = familyOf(architecture);
  if (!stacks || !alwaysStacked) return name;
  for (const layer of architecture.layers.keys()) {
    for (const { name: stack, parts } of stacks(architecture, layer)) {
      if (parts.some((part) => weightOf(architecture, { layer, name: part.name })?.name === name)) return stack;
    }
  }
  return name;
}

/** The tensor of a weight, or the part of one; undefined if the checkpoint has neither. */
export const storedWeight = (
  { tensors, parts }: Pick<Checkpoint, 'tensors' | 'parts'>,
  name: string,
): TensorInfo | undefined => tensors.get(name) ?? parts?.get(name);
