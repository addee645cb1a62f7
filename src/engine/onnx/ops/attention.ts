/**
 * Causal grouped-query attention in two forms: onnxruntime's fused operator, and plain products. Plain products have
 * gradients and are correct on every execution provider.
 */
import type { Graph, Value } from '../graph';
import { add, neg, scale, softCap } from './elementwise';
import { matmul } from './linear';
import { sinkSoftmax, softmax, softmaxProduct } from './softmax';
import { cast, padLast, reshape, split, transpose } from './shapes';

export interface AttentionShape {
  /** Query heads and key-value heads. */
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** A position sees itself and this many − 1 before it; null is all of them. */
  readonly window: number | null;
  /** Factor of the scores; 1/√headDim when undefined or null. */
  readonly scoreScale?: number | null;
  /** Soft bound of the scores, before the mask. */
  readonly scoreCap?: number | null;
  /** A score more of each head, whose share of the softmax is dropped, (heads); after factor and bound. */
  readonly sinks?: Value;
}

/** Cosines and sines of the rotation, (positions, pairs) each. Where 2 · pairs < headDim, the first part of a head turns. */
export interface RotaryTable {
  readonly cos: Value;
  readonly sin: Value;
  readonly headDim: number;
}

/** The fused operator's inputs about earlier tokens. */
export interface FusedPast {
  /** Keys and values so far, (rows, kvHeads, capacity, fusedHeadDim); none when the text starts here. */
  readonly keys?: Value;
  readonly values?: Value;
  /** Tokens of each row including this run's, minus 1: (rows), int32. */
  readonly lastPositions: Value;
  /** The largest of those plus 1: (1), int32. */
  readonly totalLength: Value;
  /** Positions of the new tokens, (rows, length), or of the first one alone, (1): int64. */
  readonly positions: Value;
}

/** The fused operator rotates only heads whose width is a multiple of this. */
const FUSED_ROTATION_MULTIPLE = 16;
/** The fused operator accepts only heads whose width is a multiple of this. */
const FUSED_WIDTH_MULTIPLE = 8;

/**
 * The width of a head of `headDim` numbers in the fused operator and its caches. Zeros pad the head to a width that the
 * operator accepts; they add nothing to any product.
 */
export function fusedHeadDim(headDim: number): number {
  return Math.ceil(headDim / FUSED_WIDTH_MULTIPLE) * FUSED_WIDTH_MULTIPLE;
}

/**
 * Rotation, cache and attention in onnxruntime's `GroupQueryAttention`.
 * query: (rows, length, heads · headDim), key and value: (rows, length, kvHeads · headDim)
 * → attention (rows, length, heads · headDim) and the keys and values with this run's appended, (…, fusedHeadDim).
 * `rotary` is undefined where query and key are rotated already, or not at all.
 *
 * Not for more than 31 new tokens on WebGPU: its kernel is wrong there without an error (ARCHITECTURE.md).
 */
export function fusedAttention(
  g: Graph,
  [query, key, value]: readonly [Value, Value, Value],
  { heads, kvHeads, headDim, window, scoreScale, scoreCap, sinks }: AttentionShape,
  rotary: RotaryTable | undefined,
  past: FusedPast,
): { output: Value; keys: Value; values: Value } {
  const [rows, length] = query.shape;
  const width = fusedHeadDim(headDim);
  const cache = { type: query.type, shape: past.keys?.shape ?? [rows, kvHeads, length, width] };
  const inside = headDim % FUSED_ROTATION_MULTIPLE === 0 && rotary && !isPartial(rotary) ? rotary : undefined;
  const before = inside ? undefined : rotary;
  const [q, k] = [query, key].map((x) => (before ? rotate(g, x, past.positions, before) : x));
  // The operator divides by the square root of the padded width.
  const factor = scoreScale ? scoreScale * Math.sqrt(width) : Math.sqrt(width / headDim);
  const scaled = scale(g, q, factor);
  const qkv = [scaled, k, value].map((x) => widenHeads(g, x, headDim, width));
  const tables = inside ? [inside.cos, inside.sin] : [];
  // Position ids and a bias of the scores stand between the tables and the sinks.
  const last = sinks
    ? [...(inside ? [] : [undefined, undefined]), undefined, undefined, cast(g, sinks, query.type)]
    : [];
  const [output, keys, values] = g.contrib(
    'GroupQueryAttention',
    [...qkv, past.keys, past.values, past.lastPositions, past.totalLength, ...tables, ...last],
    // As in our definition, the operator's window includes the position itself.
    {
      num_heads: heads,
      kv_num_heads: kvHeads,
      do_rotary: inside ? 1 : 0,
      local_window_size: window ?? -1,
      ...(scoreCap && { softcap: { float: scoreCap } }),
    },
    [{ type: query.type, shape: [rows, length, heads * width] }, cache, cache],
  );
  return { output: narrowHeads(g, output, headDim, width), keys, values };
}

/** Zeros behind each head. (rows, length, n · headDim) → (rows, length, n · width) */
function widenHeads(g: Graph, x: Value, headDim: number, width: number): Value {
  if (width === headDim) return x;
  const [rows, length, all] = x.shape;
  const heads = Number(all) / headDim;
  const wide = padLast(g, reshape(g, x, [rows, length, heads, headDim]), width);
  return reshape(g, wide, [rows, length, heads * width]);
}

/** Removes that padding. (rows, length, n · width) → (rows, length, n · headDim) */
export function narrowHeads(g: Graph, x: Value, headDim: number, width: number): Value {
  if (width === headDim) return x;
  const [rows, length, all] = x.shape;
  const heads = Number(all) / width;
  const [own] = split(g, reshape(g, x, [rows, length, heads, width]), 3, [headDim, width - headDim]);
  return reshape(g, own, [rows, length, heads * headDim]);
}

/**
 * Rotary position embedding (Su et al. 2021), rotated halves as Hugging Face stores them.
 * x: (rows, heads, length, headDim) or (rows, length, heads · headDim)
 * @param positions of all tokens, (rows, length), or of the first one of each row, (1); int64
 */
export function rotate(g: Graph, x: Value, positions: Value, rotary: RotaryTable): Value {
  const { cos, sin, headDim } = rotary;
  const heads = x.shape.length === 4 ? Number(x.shape[1]) : Number(x.shape[2]) / headDim;
  const part = isPartial(rotary) ? { rotary_embedding_dim: 2 * Number(cos.shape[1]), num_heads: heads } : undefined;
  const output = g.contribOp('RotaryEmbedding', [x, positions, cos, sin], x, part);
  // The rotation is orthogonal up to a factor: its transpose rotates in the other direction.
  return g.record(output, [x], (d) => [() => rotate(g, d, positions, { cos, sin: neg(g, sin), headDim })]);
}

const isPartial = ({ cos, headDim }: RotaryTable): boolean => 2 * Number(cos.shape[1]) < headDim;

/** How plain attention attends. */
export interface PlainAttention {
  /** Broadcast to (rows, 1, length, length); added to the scores. */
  readonly mask: Value;
  /** Of the tokens, (rows, length), int64; or that of each row's first token, (1). The first is 0 when undefined. */
  readonly positions?: Value;
  /** The type of the factors of both products; float32 when undefined. Softmax is float32. */
  readonly products?: 'float32' | 'float16';
  /** Whether its gradient is taken, so that this should be cheap; for float32. */
  readonly trained?: boolean;
}

/**
 * softmax(cap(s · q kᵀ) + mask) v, with s = 1/√headDim and no cap unless the shape has them.
 * query: (tokens, heads · headDim), key and value: (tokens, kvHeads · headDim) → (tokens, heads · headDim)
 * Without `rotary` nothing is rotated. Products in float16 have no gradient: no training uses them.
 */
export function plainAttention(
  g: Graph,
  [query, key, value]: readonly [Value, Value, Value],
  shape: AttentionShape,
  rotary: RotaryTable | undefined,
  { mask, positions = g.ints(0), products: type = 'float32', trained = false }: PlainAttention,
): Value {
  const { heads, kvHeads, headDim } = shape;
  const perHeadOf = (x: Value, n: number): Value =>
    transpose(g, reshape(g, x, ['rows', 'length', n, headDim]), [0, 2, 1, 3]);
  const rotated = (x: Value): Value => (rotary ? rotate(g, x, positions, rotary) : x);
  const q = rotated(perHeadOf(query, heads));
  const k = cast(g, rotated(perHeadOf(key, kvHeads)), type);
  const v = cast(g, perHeadOf(value, kvHeads), type);
  const perHead = attendHeads(g, [q, k, v], shape, { mask, products: type, trained });
  return reshape(g, transpose(g, perHead, [0, 2, 1, 3]), [query.shape[0], heads * headDim]);
}

/**
 * The products of plain attention. q: (rows, heads, length, headDim) float32, k and v: (rows, kvHeads, total, headDim) in
 * the type of the products → (rows, heads, length, headDim) float32
 */
export function attendHeads(
  g: Graph,
  [q, k, v]: readonly [Value, Value, Value],
  { heads, kvHeads, headDim, scoreScale, scoreCap, sinks }: Omit<AttentionShape, 'window'>,
  { mask, products: type = 'float32', trained = false }: Omit<PlainAttention, 'positions'>,
): Value {
  const [rows, , length] = q.shape;
  const total = k.shape[2];
  // The query heads of a group are adjacent. Treated as one head with more positions, they share a product.
  const grouped = reshape(g, q, [rows, kvHeads, 'positionsOfGroup', headDim]);
  const transposed = transpose(g, k, [0, 1, 3, 2]);
  const factor = scoreScale ?? 1 / Math.sqrt(headDim);
  // (rows, kvHeads, group · length, total). In half precision, queries are scaled first: scores are smaller than sums.
  const scaled =
    type === 'float32'
      ? scale(g, matmul(g, grouped, transposed), factor)
      : cast(g, matmul(g, cast(g, scale(g, grouped, factor), type), transposed), 'float32');
  const products = scoreCap ? softCap(g, scaled, scoreCap) : scaled;
  const scores = add(g, reshape(g, products, [rows, heads, length, total]), mask);
  const weights = sinks ? sinkSoftmax(g, scores, sinks) : undefined;
  const weigh = (): Value =>
    cast(g, matmul(g, cast(g, reshape(g, weights ?? softmax(g, scores), products.shape), type), v), 'float32');
  const attention = trained && !weights ? softmaxProduct(g, reshape(g, scores, products.shape), v) : weigh();
  return reshape(g, attention, [rows, heads, length, headDim]);
}
