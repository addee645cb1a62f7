/**
 * The tensors of a GGUF file: llama.cpp's names, and where the numbers come from. Matrices keep the type of the
 * checkpoint or get the one that is asked for; norms and biases are float32, as llama.cpp's converter writes them.
 */
import { type Held, heldBy, heldShape, isColumn, isGrouped, isKernel } from '../../checkpoint/gguf/names';
import { liesOf, type Lies } from '../../checkpoint/gguf/lies';
import { ownHead } from '../../checkpoint/weight-names';
import type { Spelling } from '../../checkpoint/gguf/spelling';
import { keyText, layerKeys, type WeightKey, weightOf } from '../../checkpoint/weight-key';
import { storedWeight } from '../../checkpoint/stacks';
import type { Checkpoint } from '../../checkpoint/types';
import { requireArchitecture } from '../../checkpoint/open';
import { asStored } from '../../checkpoint/width';
import { isWeightDtype } from '../../formats/dtype';
import { isQuantized } from '../../formats/gguf/quantize';
import type { UnplacedTensor } from '../../formats/gguf/layout';
import { type StoredTensor, storedTensor } from '../../formats/stored-tensor';
import { liesAsInModel, type Rows, type Tiled } from '../../formats/tensor';
import { columnsMoved, modelLine, runsOf } from '../../formats/tiled';
import { wholeKey } from '../../weights/as-gguf';
import { readWide, rowWidth, type WeightSource } from '../../weights/source';
import type { Rewrite, RewrittenDtype } from '../rewrite';
import type { Importance } from './importance';
import type { Mix } from './mixes';

/** A tensor of the new file and the origin of its numbers. */
export type GgufSource = RewrittenTensor | CopiedTensor;

/** Its numbers can be read and rounded; its bytes are copied where they are the same. */
export interface RewrittenTensor extends UnplacedTensor {
  readonly copy?: StoredTensor;
  readonly rewrite: Rewrite<RewrittenDtype>;
}

/** Its bytes are copied, whatever they mean. */
interface CopiedTensor extends UnplacedTensor {
  readonly copy: StoredTensor;
  readonly rewrite?: undefined;
}

/** The file that is written. */
interface Written {
  readonly kept: readonly number[];
  readonly spelling: Spelling;
  readonly mix?: Mix;
  readonly importance?: Importance;
}

/**
 * Every tensor of the file, in its order.
 * @param kept blocks of the source that are written, in this order
 * @param mix types of the matrices; those of the checkpoint's tensors when undefined
 */
export function ggufTensors(
  checkpoint: Checkpoint,
  weights: WeightSource,
  { kept, spelling, mix, importance }: Written,
): RewrittenTensor[] {
  const types = mix ? (key: WeightKey) => mix.typeOf(key) : storedTypes(checkpoint);
  const source = (held: Held): RewrittenTensor => tensorOf({ held, weights, types, spelling, importance });
  const { names } = spelling.dialect;
  const tensors = heldBy(['embed'], names).map(source);
  for (const [name, factors] of spelling.factors) tensors.push(factorTensor(name, factors));
  kept.forEach((layer, block) => {
    for (const held of heldBy(layerKeys(weights.architecture, layer), names, block)) tensors.push(source(held));
  });
  return [...tensors, ...heldBy(['finalNorm', ...(spelling.ownHead ? (['head'] as const) : [])], names).map(source)];
}

/** The type of the matrix of this key; undefined for one that the checkpoint's files do not have. */
type MatrixTypes = (key: WeightKey) => RewrittenDtype | undefined;

function storedTypes(checkpoint: Checkpoint): MatrixTypes {
  const stored = asStored(checkpoint);
  const architecture = requireArchitecture(stored);
  return (key) => {
    const own = weightOf(architecture, key) ?? weightOf(architecture, wholeKey(key));
    const name = key === 'head' && !architecture.tied ? ownHead(architecture).name : own?.name;
    const dtype = name === undefined ? undefined : storedWeight(stored, name)?.dtype;
    return dtype !== undefined && isWeightDtype(dtype) ? dtype : undefined;
  };
}

interface Wanted {
  readonly held: Held;
  readonly weights: WeightSource;
  readonly types: MatrixTypes;
  readonly spelling: Spelling;
  readonly importance?: Importance;
}

function tensorOf({ types, ...wanted }: Wanted): RewrittenTensor {
  const { held, weights, spelling } = wanted;
  const [key] = held.keys;
  const shape = weights.shape(key);
  const dtype = shape.length === 1 || isFloat32(key) ? 'F32' : types(key);
  if (dtype === undefined) throw new Error(`${keyText(key)} has no type in the checkpoint`);
  const tensor = computed({ ...wanted, dtype });
  const stored = weights.stored(key);
  const asStored = !held.isStack && liesAsInModel(liesIn(key, weights, spelling));
  const copied = asStored && stored?.dtype === dtype && stored.shape.join() === shape.join();
  return copied ? { ...tensor, copy: { ...storedTensor(stored), shape: tensor.shape } } : tensor;
}

/** Whether llama.cpp has the rows of this weight in the order of rotated pairs. */
export const isPaired = (key: WeightKey, weights: WeightSource, spelling: Spelling): boolean =>
  liesIn(key, weights, spelling).paired !== undefined;

const liesIn = (key: WeightKey, { architecture }: WeightSource, { dialect }: Spelling): Lies =>
  liesOf(dialect, architecture, key);

/** llama.cpp's files have routers and convolutions in float32, and none of its types for them is smaller. */
export const isFloat32 = (key: WeightKey): boolean =>
  isKernel(key) || isColumn(key) || isGrouped(key) || (typeof key !== 'string' && key.name === 'router');

/** A tensor whose numbers are read from a source, and rounded to `dtype`. */
export function computed({
  held,
  weights,
  dtype,
  spelling,
  importance,
}: Omit<Wanted, 'types'> & { readonly dtype: RewrittenDtype }): RewrittenTensor {
  const { name, keys } = held;
  const [key] = keys;
  const shape = weights.shape(key);
  const isWeighed = isQuantized(dtype) && dtype !== 'Q8_0';
  const columns = isWeighed ? importance?.columnsOf(name, rowWidth(shape), keys.length) : undefined;
  if (held.isStack) {
    const rows = [keys.length * shape[0], ...shape.slice(1)];
    const read = stackedRows(weights, keys, shape);
    const rewrite = { dtype, shape: rows, read, ...(columns && { importance: columns }) };
    return { name, dtype, shape: heldShape(held, shape, weights.architecture), rewrite };
  }
  const { above = 0, power, paired, tiled } = liesIn(key, weights, spelling);
  const plain = async (rows: Rows): Promise<Float64Array> => {
    const values = await readWide(weights, key, rows);
    if (power) return values.map((value) => -Math.exp(value));
    return above === 0 ? values : values.map((value) => value + above);
  };
  const inPairs = paired === undefined ? plain : pairedRows(plain, rowWidth(shape), paired);
  const read = tiled ? tiledLines(inPairs, rowWidth(shape), tiled) : inPairs;
  const rewrite = { dtype, shape, read, ...(columns && { importance: columns }) };
  return { name, dtype, shape: heldShape(held, shape, weights.architecture), rewrite };
}

/**
 * Reads rows of q or k in the order of rotated pairs: row 2i + s of a head is row s · headDim / 2 + i of the checkpoint,
 * whose heads have all first halves of the pairs before the second ones.
 * @param read rows of the checkpoint's order, `width` numbers each
 */
export function pairedRows(read: Rewrite['read'], width: number, headDim: number): Rewrite['read'] {
  return async ({ start, count }) => {
    const firstHead = Math.floor(start / headDim);
    const heads = Math.ceil((start + count) / headDim) - firstHead;
    const stored = await read({ start: firstHead * headDim, count: heads * headDim });
    const values = new Float64Array(count * width);
    for (let row = 0; row < count; row++) {
      const at = start + row - firstHead * headDim;
      const from = at - (at % headDim) + pairedRow(at % headDim, headDim);
      values.set(stored.subarray(from * width, (from + 1) * width), row * width);
    }
    return values;
  };
}

/** Reads rows with heads in the order of the file. @param read rows of the model, `width` numbers each */
export function tiledLines(read: Rewrite['read'], width: number, tiled: Tiled): Rewrite['read'] {
  if (tiled.axis === 'columns')
    return async (rows) => columnsMoved(await read(rows), width, (column) => modelLine(tiled, column));
  return async (rows) => {
    const values = new Float64Array(rows.count * width);
    let at = 0;
    for (const run of runsOf(rows, (row) => modelLine(tiled, row))) {
      values.set(await read(run), at);
      at += run.count * width;
    }
    return values;
  };
}

/** Reads rows of equal matrices as if these lay on top of each other. @param shape of one of them */
function stackedRows(
  weights: WeightSource,
  keys: readonly WeightKey[],
  [rows, ...width]: readonly number[],
): Rewrite['read'] {
  return async ({ start, count }) => {
    const values = new Float64Array(count * rowWidth([rows, ...width]));
    for (let at = start; at < start + count;) {
      const first = at % rows;
      const some = Math.min(rows - first, start + count - at);
      const read = await readWide(weights, keys[Math.floor(at / rows)], { start: first, count: some });
      values.set(read, (at - start) * rowWidth([rows, ...width]));
      at += some;
    }
    return values;
  };
}

/** The checkpoint's row within a head for row `row` of the file. */
export const pairedRow = (row: number, headDim: number): number => (row % 2) * (headDim / 2) + Math.floor(row / 2);

/** Divisors of the frequencies, one for each pair. */
function factorTensor(name: string, factors: readonly number[]): RewrittenTensor {
  const rewrite: Rewrite = {
    dtype: 'F32',
    shape: [factors.length],
    read: ({ start, count }) => Promise.resolve(Float64Array.from(factors.slice(start, start + count))),
  };
  return { name, dtype: 'F32', shape: rewrite.shape, rewrite };
}
