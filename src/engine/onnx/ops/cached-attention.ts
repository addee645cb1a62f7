/** Attention of new tokens over a cache in plain products, which every execution provider computes right. */
import type { Graph, Value } from '../graph';
import { attendHeads, type AttentionShape, rotate, type RotaryTable } from './attention';
import { append, cast, reshape, transpose } from './shapes';

/** Earlier keys and values, and what new tokens may see. */
export interface PlainPast {
  /** (rows, kvHeads, past, headDim), in the type of the products. Keys are rotated. */
  readonly keys: Value;
  readonly values: Value;
  /** The extent of both with the new tokens. */
  readonly total: string;
  /** (rows, 1, length, total) float32, added to the scores. */
  readonly mask: Value;
  /** Of the new tokens, (rows, length) int64. */
  readonly positions: Value;
}

/**
 * softmax(cap(s · q kᵀ) + mask) v as `plainAttention` has it, rotation included.
 * query: (rows, length, heads · headDim), key and value: (rows, length, kvHeads · headDim), float32
 * → attention (rows, length, heads · headDim) float32, and keys and values with the new ones appended
 */
export function cachedAttention(
  g: Graph,
  [query, key, value]: readonly [Value, Value, Value],
  shape: AttentionShape,
  rotary: RotaryTable | undefined,
  { keys, values, total, mask, positions }: PlainPast,
): { output: Value; keys: Value; values: Value } {
  const { heads, kvHeads, headDim } = shape;
  const [rows, length] = query.shape;
  const perHead = (x: Value, n: number): Value => transpose(g, reshape(g, x, [rows, length, n, headDim]), [0, 2, 1, 3]);
  const rotated = (x: Value): Value => (rotary ? rotate(g, x, positions, rotary) : x);
  const products = keys.type === 'float16' ? 'float16' : 'float32';
  const q = rotated(perHead(query, heads));
  const k = append(g, [keys, cast(g, rotated(perHead(key, kvHeads)), products)], 2, total);
  const v = append(g, [values, cast(g, perHead(value, kvHeads), products)], 2, total);
  const attention = attendHeads(g, [q, k, v], shape, { mask, products });
  const output = reshape(g, transpose(g, attention, [0, 2, 1, 3]), [rows, length, heads * headDim]);
  return { output, keys: k, values: v };
}
