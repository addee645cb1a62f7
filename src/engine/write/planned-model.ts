/**
 * A new checkpoint, planned: its tensors, its config, and what it is when it is opened. The source may be narrower than
 * its files, weights may have changed, and blocks may be left out. What is neither cut, changed nor stored in another
 * type is copied byte for byte.
 */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type LinearName, type Style, withLayers } from '../checkpoint/architecture';
import { readConfigArchitecture } from '../checkpoint/config';
import { isGgufCheckpoint } from '../checkpoint/gguf/name';
import { requireArchitecture } from '../checkpoint/open';
import { checkpointReduction, type Reduction } from '../checkpoint/reduction';
import { type FoundStack, partNames, stacksIn, stacksToMake } from '../checkpoint/stacks';
import type { Checkpoint } from '../checkpoint/types';
import { newBiases } from '../checkpoint/used-tensors';
import { ROTARY_BUFFER } from '../checkpoint/verify';
import { keysByName, weightOf } from '../checkpoint/weight-key';
import { ropeOf } from '../checkpoint/kinds/parts';
import { plainLayer, type PlainShape, plainShape } from '../checkpoint/kinds/plain';
import { UserError } from '../errors';
import { readSmallFile } from '../files/regular-file';
import { elementTypeOf, isReadable, isWeightDtype, type WeightDtype, weightTypeOf } from '../formats/dtype';
import { MAX_CONFIG_BYTES } from '../formats/limits';
import { readTensor } from '../formats/read-tensor';
import { liesAsInModel, type Rows, type TensorInfo } from '../formats/tensor';
import { modelName } from '../records/record';
import { readWide, type WeightSource } from '../weights/source';
import { type ConfigEdit, configEdits, editConfigText, headEdits } from './config';
import { type AddedTensor, planCheckpoint, type PlanOptions } from './plan';
import type { Rewrite } from './rewrite';
import { isChanged, stackRewrite } from './stacks';
import { describeWidth, type WidthDescription } from './width-config';
import type { NewCheckpoint } from './write-checkpoint';

/** What is asked of the new checkpoint. */
export interface Wanted extends Pick<PlanOptions, 'maxShardBytes' | 'notes'> {
  /** Blocks that are left out, ascending. */
  readonly removed: readonly number[];
  /** The type of all weights; each keeps its own when undefined. */
  readonly dtype?: WeightDtype;
}

export interface PlannedModel extends Pick<NewCheckpoint, 'plan' | 'config' | 'architecture'> {
  /** Its bytes afterwards are those that each weight has in its type. */
  readonly reduction: Reduction;
}

/**
 * @param weights of the source, with changes if there are any
 * @throws UserError when the config cannot be read
 */
export async function planModel(source: Checkpoint, weights: WeightSource, wanted: Wanted): Promise<PlannedModel> {
  const { removed, dtype, maxShardBytes, notes } = wanted;
  const whole = requireArchitecture(source);
  const removal = checkpointReduction(source, removed);
  const narrower = narrowedConfig(source, removal.kept);
  const made = madeStacks(source, weights, dtype);
  const rewrite = rewriter(weights, stacksIn(whole, source.tensors), dtype);
  const plan = planCheckpoint(source, removed, {
    maxShardBytes,
    notes,
    rewrite: (tensor) => made.get(tensor.name)?.rewrite ?? rewrite(tensor),
    renamed: ({ name }) => (made.has(name) ? made.get(name)?.name : name),
    added: adder(source, weights, narrower?.zeros ?? [], dtype),
  });
  const config = source.config ?? {};
  const text = await configText(source);
  const edits = [
    ...(removed.length > 0 ? configEdits(config, whole, removal.kept) : headEdits(config, whole)),
    ...(narrower?.edits ?? []),
    ...dtypeEdits(config, dtype),
  ];
  return {
    plan,
    config: editConfigText(text, edits),
    architecture: narrower?.architecture ?? withLayers(whole, removal.kept),
    reduction: removal,
  };
}

/** The config.json of the source, as it is spelled; of a GGUF file the one that describes it. @throws UserError when it cannot be read */
async function configText(source: Checkpoint): Promise<string> {
  if (isGgufCheckpoint(source)) return `${JSON.stringify(source.config, null, 2)}\n`;
  return (await readSmallFile(join(source.folder, 'config.json'), MAX_CONFIG_BYTES)).toString('utf8');
}

/**
 * How the config describes a narrowed checkpoint with only the blocks `kept`, or a GGUF file whose blocks it does not describe;
 * undefined if the source's own config does.
 */
export function narrowedConfig(source: Checkpoint, kept: readonly number[]): WidthDescription | undefined {
  if (!source.narrowing && !(isGgufCheckpoint(source) && !configDescribes(source))) return undefined;
  return describeWidth(source.config ?? {}, withLayers(requireArchitecture(source), kept));
}

/** Whether the config of a GGUF file says what its blocks are. @throws UserError for a rotation that no config says */
function configDescribes(source: Checkpoint): boolean {
  const { layers, style } = requireArchitecture(source);
  if (layers.some((layer) => ropeOf(layer)?.scaling.kind === 'factors')) {
    throw new UserError(
      `${modelName(source)} cannot be written as a checkpoint`,
      'its rotation has divisors (rope_freqs.weight) that follow no rule of a config.json',
      'Write it as GGUF.',
    );
  }
  const described = readConfigArchitecture(source.config ?? {});
  if (!('why' in described) && layers.every((layer) => ropeOf(layer) === null) && described.layers.some(ropeOf)) {
    throw new UserError(
      `${modelName(source)} cannot be written as a checkpoint`,
      'its queries and keys are not rotated (rope.scaling.finetuned), and no config.json of its family says so',
      'Write it as GGUF.',
    );
  }
  if (!('why' in described) && !sameStyle(described.style, style)) {
    throw new UserError(
      `${modelName(source)} cannot be written as a checkpoint`,
      'its scores have a factor (rope.scaling.attn_factor) that no config.json of its family has',
      'Write it as GGUF.',
    );
  }
  return !('why' in described) && isDeepStrictEqual(described.layers, layers);
}

/** Float32 numbers of a GGUF file stand for those of a config. */
function sameStyle(a: Style, b: Style): boolean {
  return Object.entries(a).every(([field, value]: [string, unknown]) => {
    const other: unknown = b[field as keyof Style];
    if (typeof value !== 'number' || typeof other !== 'number') return value === other;
    return Math.abs(value - other) <= 1e-6 * Math.abs(value);
  });
}

/** Copies tensors that are neither cut, patched nor stored in another type. */
function rewriter(
  weights: WeightSource,
  stacks: ReadonlyMap<string, FoundStack>,
  dtype: WeightDtype | undefined,
): (tensor: TensorInfo) => Rewrite | undefined {
  const keys = keysByName(weights.architecture);
  return (tensor) => {
    const stack = stacks.get(tensor.name);
    if (stack && isChanged(stack, weights)) return stackRewrite(stack, weights, dtype ?? ownType(tensor));
    if (!isReadable(tensor.dtype) || tensor.name.endsWith(ROTARY_BUFFER)) return undefined;
    const key = keys.get(tensor.name);
    const own = dtype ?? weightTypeOf(tensor.dtype);
    const isCopied = own === tensor.dtype && liesAsInModel({ ...tensor, woven: undefined });
    if (isCopied && (key === undefined || weights.stored(key))) return undefined;
    if (key) return { dtype: own, shape: weights.shape(key), read: (rows) => readWide(weights, key, rows) };
    const read = async (rows: Rows): Promise<Float64Array> => Float64Array.from(await readTensor(tensor, rows));
    return { dtype: own, shape: tensor.shape, read };
  };
}

/**
 * The experts of a GGUF file on top of each other, where the family's checkpoints have them so: the stack in place of the weight that is
 * first in it, and undefined in place of the others.
 */
function madeStacks(
  source: Checkpoint,
  weights: WeightSource,
  dtype: WeightDtype | undefined,
): ReadonlyMap<string, { readonly name: string; readonly rewrite: Rewrite } | undefined> {
  const made = new Map<string, { readonly name: string; readonly rewrite: Rewrite } | undefined>();
  if (!isGgufCheckpoint(source)) return made;
  const architecture = requireArchitecture(source);
  for (const [first, stack] of stacksToMake(architecture, source.tensors)) {
    const parts = partNames(architecture, stack);
    const types = new Set(parts.map((name) => ownType(source.tensors.get(name)!)));
    const [own] = types.size === 1 ? types : (['F32'] as const);
    for (const name of parts) made.set(name, undefined);
    made.set(first, { name: stack.name, rewrite: stackRewrite(stack, weights, dtype ?? own) });
  }
  return made;
}

const ownType = ({ dtype }: TensorInfo): WeightDtype => (isReadable(dtype) ? weightTypeOf(dtype) : 'F32');

/** Biases that the files do not have: what narrowing added, and the zeros of `zeros`. */
function adder(
  source: Checkpoint,
  weights: WeightSource,
  zeros: readonly LinearName[],
  dtype: WeightDtype | undefined,
): (after: TensorInfo) => readonly AddedTensor[] {
  const { architecture } = weights;
  const withZeros = (shape: PlainShape): PlainShape => ({
    ...shape,
    biases: [...new Set([...shape.biases, ...zeros])],
  });
  const layers =
    zeros.length === 0
      ? architecture.layers
      : architecture.layers.map((layer) => plainLayer(withZeros(plainShape(layer))));
  const described = { ...architecture, layers };
  const added = newBiases(source, described);
  return (after) => {
    const own = dtype ?? elementTypeOf(after.dtype);
    return (added.get(after.name) ?? []).map((key) => {
      if (!isWeightDtype(own)) throw new Error(`no bias can be stored as ${own}`);
      const { name, shape } = weightOf(described, key)!;
      const read = weightOf(architecture, key)
        ? (rows: Rows) => readWide(weights, key, rows)
        : ({ count }: Rows) => Promise.resolve(new Float64Array(count));
      return { name, rewrite: { dtype: own, shape, read } };
    });
  };
}

const CONFIG_DTYPES: Readonly<Record<WeightDtype, string>> = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' };

/** The config names the type as `torch_dtype`, newer configs as `dtype`. */
function dtypeEdits(config: Readonly<Record<string, unknown>>, dtype: WeightDtype | undefined): ConfigEdit[] {
  if (dtype === undefined) return [];
  const present = ['torch_dtype', 'dtype'].filter((key) => key in config);
  const keys = present.length > 0 ? present : ['torch_dtype'];
  return keys.map((key) => ({ path: [key], kind: 'set', value: CONFIG_DTYPES[dtype] }));
}
