/** Attention of new tokens over a cache in plain products, which every execution provider computes right. */
import type { Graph, Value } from '../graph';
import { attendHeads, type AttentionShape, narrowHeads, rotate, type RotaryTable } from './attention';
import { add, mul, sub } from './elementwise';
import { append, cast, padLast, reshape, transpose } from './shapes';

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

/** Room for earlier keys and values, of which a part is used, and what new tokens may see. */
export interface SlottedPast {
  /** (rows, kvHeads, capacity, width); heads are padded with zeros to the width. Keys are rotated. */
  readonly keys: Value;
  readonly values: Value;
  /** Of the slots and then the new tokens, (rows, 1, length, capacity + length) float32, added to the scores. */
  readonly mask: Value;
}

/**
 * softmax(cap(s · q kᵀ) + mask) v over a cache with empty slots, for what the fused operator of a device computes wrong.
 * query: (rows, length, heads · headDim), key and value: (rows, length, kvHeads · headDim), float32, rotated
 * → attention (rows, length, heads · headDim), and the new keys and values as the cache has them, (rows, kvHeads, length, width)
 */
export function slottedAttention(
  g: Graph,
  [query, key, value]: readonly [Value, Value, Value],
  { heads, kvHeads, headDim, scoreScale, scoreCap, sinks }: AttentionShape,
  { keys, values, mask }: SlottedPast,
): { output: Value; keys: Value; values: Value } {
  const [rows, length] = query.shape;
  const width = Number(keys.shape[3]);
  const perHead = (x: Value, n: number): Value => {
    const split = transpose(g, reshape(g, x, [rows, length, n, headDim]), [0, 2, 1, 3]);
    return width === headDim ? split : padLast(g, split, width);
  };
  const [q, k, v] = [perHead(query, heads), perHead(key, kvHeads), perHead(value, kvHeads)];
  const seen = mask.shape[3];
  const past = [append(g, [keys, k], 2, seen), append(g, [values, v], 2, seen)] as const;
  // The factor is that of the head without its padding.
  const padded = { heads, kvHeads, headDim: width, scoreScale: scoreScale ?? 1 / Math.sqrt(headDim), scoreCap, sinks };
  const attention = attendHeads(g, [q, ...past], padded, { mask });
  const whole = reshape(g, transpose(g, attention, [0, 2, 1, 3]), [rows, length, heads * width]);
  return { output: narrowHeads(g, whole, headDim, width), keys: k, values: v };
}

/** Where the new tokens of a run go in a cache. */
export interface Slots {
  /** For each slot the new token that it takes, or any. (capacity) int64 */
  readonly tokens: Value;
  /** 1 for the slots that take one, else 0. (capacity, 1) float32 */
  readonly fresh: Value;
}

/** A cache with new keys or values in their slots. cache: (rows, kvHeads, capacity, width), x: (rows, kvHeads, length, width) */
export function placed(g: Graph, cache: Value, x: Value, { tokens, fresh }: Slots): Value {
  const spread = g.op('Gather', [x, tokens], cache, { axis: 2 });
  return add(g, cache, mul(g, sub(g, spread, cache), fresh));
}
