/**
 * Losses of a head W that is not trained, given in pieces of its rows. The gradient of log Σ exp(h Wᵀ) by h is the mean row
 * softmax(h Wᵀ) W, and softmax is e / Σe with e = exp(h Wᵀ − max), so the division can follow the product. The only arrays as
 * large as the logits are the logits and e, which replaces them.
 */
import type { Graph, Value } from '../graph';
import { mul, neg, scale, softCap, sub } from './elementwise';
import { linear } from './linear';
import { reshape } from './shapes';

/** What `frozenCrossEntropy` knows of a head W. */
export interface FrozenTargets {
  /** Its rows, in order. */
  readonly pieces: readonly Value[];
  /** W[target] */
  readonly truth: Value;
  readonly target: Value;
}

/**
 * −log softmax(h Wᵀ)[target] = log Σ exp(h Wᵀ) − h · W[target], token by token.
 *
 * Its gradient with respect to h is (e − Σe onehot(target)) W / Σe. (The target is not subtracted after the product, where it
 * would be a small difference of large numbers.) With a cap the logits are c · tanh(h Wᵀ / c), and a third array has their
 * slopes 1 − (logit / c)².
 * h: (tokens, n), pieces: (words, n) each, truth: W[target], (tokens, n), target: (tokens) int64 → (tokens)
 * @param cap bound of the logits, null for none
 */
export function frozenCrossEntropy(
  g: Graph,
  h: Value,
  { pieces, truth, target }: FrozenTargets,
  cap: number | null = null,
): Value {
  const column = columnOf(h);
  const { logits, exponentials, sum, logSumExp } = exponentialsOf(g, h, pieces, cap);
  const losses = g.op('Sub', [logSumExp, bounded(g, dotLast(g, h, truth), cap)], column);
  return g.record(reshape(g, losses, [h.shape[0]]), [h], (d) => [
    () => {
      const indices = reshape(g, target, column.shape);
      const missing = neg(g, sum);
      let start = 0;
      const differences = exponentials.map((e, i) => {
        const words = e.shape[1] as number;
        const capped = addInPiece(g, e, indices, missing, start, words);
        start += words;
        return cap === null ? capped : mul(g, capped, capSlope(g, logits[i], cap));
      });
      const share = g.op('Div', [reshape(g, d, column.shape), sum], column);
      return mul(g, weightedRows(g, differences, pieces, h), share);
    },
  ]);
}

/** What `frozenDivergence` knows of a head W and of its teacher's distributions q. */
export interface FrozenTeaching {
  /** Rows of W, in order. */
  readonly pieces: readonly Value[];
  /** W[target], (tokens, n) */
  readonly truth: Value;
  /** The teacher's share of the loss, 0 … 1. */
  readonly weight: number;
  /** The mean row q W, (tokens, n). */
  readonly mean: Value;
  /** −Σ q log q, (tokens) */
  readonly entropy: Value;
}

/** Each (tokens), but `mean`, which is (tokens, n). */
export interface FrozenDivergence {
  /** (1 − weight) · cross-entropy + weight · divergence. It alone has a gradient. */
  readonly losses: Value;
  readonly crossEntropies: Value;
  /** p W of the distribution p = softmax(h Wᵀ): what it would teach. */
  readonly mean: Value;
  /** −Σ p log p */
  readonly entropy: Value;
}

/**
 * Forward Kullback–Leibler divergence of p = softmax(h Wᵀ) from a teacher's q, mixed with the cross-entropy, token by token.
 *
 * The logits are linear in W, so Σ q log p = h · (q W) − log Σ exp(h Wᵀ): two things tell all of q, its mean row and its entropy.
 * The gradient by h is p W − (1 − weight) W[target] − weight q W. There must be no cap on the logits.
 * h: (tokens, n)
 */
export function frozenDivergence(
  g: Graph,
  h: Value,
  { pieces, truth, weight, mean: taught, entropy }: FrozenTeaching,
): FrozenDivergence {
  const column = columnOf(h);
  const { exponentials, sum, logSumExp } = exponentialsOf(g, h, pieces, null);
  const mean = g.op('Div', [weightedRows(g, exponentials, pieces, h), sum], h);
  const flat = (x: Value): Value => reshape(g, x, [h.shape[0]]);
  const less = (x: Value, of: Value): Value => g.op('Sub', [x, of], column);
  const crossEntropies = flat(less(logSumExp, dotLast(g, h, truth)));
  const divergences = less(less(logSumExp, dotLast(g, h, taught)), reshape(g, entropy, column.shape));
  const share = (x: Value, factor: number): Value => g.op('Mul', [x, g.scalar(factor)], x);
  const vector = { type: h.type, shape: [h.shape[0]] };
  const losses = g.op('Add', [share(crossEntropies, 1 - weight), share(flat(divergences), weight)], vector);
  g.record(losses, [h], (d) => [
    () => {
      const wanted = g.op('Add', [share(truth, 1 - weight), share(taught, weight)], h);
      return mul(g, sub(g, mean, wanted), reshape(g, d, column.shape));
    },
  ]);
  return { losses, crossEntropies, mean, entropy: flat(less(logSumExp, dotLast(g, h, mean))) };
}

interface Exponentials {
  /** h Wᵀ, bounded, in pieces. */
  readonly logits: readonly Value[];
  /** e = exp(logits − max), in pieces. */
  readonly exponentials: readonly Value[];
  /** Σe, (tokens, 1) */
  readonly sum: Value;
  /** (tokens, 1) */
  readonly logSumExp: Value;
}

function exponentialsOf(g: Graph, h: Value, pieces: readonly Value[], cap: number | null): Exponentials {
  const column = columnOf(h);
  const last = g.ints(-1);
  const logits = pieces.map((piece) => bounded(g, linear(g, h, piece), cap));
  const maxima = logits.map((z) => g.op('ReduceMax', [z, last], column, { keepdims: 1 }));
  const max = maxima.length > 1 ? g.op('Max', maxima, column) : maxima[0];
  const exponentials = logits.map((z) => {
    const shifted = g.op('Sub', [z, max], z);
    return g.op('Exp', [shifted], z);
  });
  const parts = exponentials.map((e) => g.op('ReduceSum', [e, last], column, { keepdims: 1 }));
  const sum = parts.length > 1 ? g.op('Sum', parts, column) : parts[0];
  return { logits, exponentials, sum, logSumExp: g.op('Add', [max, g.op('Log', [sum], column)], column) };
}

/** Σ over the pieces of x W. x: (tokens, words) each, pieces: (words, n) each → (tokens, n), as h */
function weightedRows(g: Graph, x: readonly Value[], pieces: readonly Value[], h: Value): Value {
  let weighted: Value | undefined;
  for (const [i, each] of x.entries()) {
    weighted = g.op('Gemm', weighted ? [each, pieces[i], weighted] : [each, pieces[i]], h);
  }
  return weighted!;
}

/** Σ a b over the last axis. (tokens, n) → (tokens, 1) */
function dotLast(g: Graph, a: Value, b: Value): Value {
  return g.op('ReduceSum', [g.op('Mul', [a, b], a), g.ints(-1)], columnOf(a), { keepdims: 1 });
}

const columnOf = (h: Value): Omit<Value, 'name'> => ({ type: h.type, shape: [h.shape[0], 1] });

const bounded = (g: Graph, z: Value, cap: number | null): Value => (cap === null ? z : softCap(g, z, cap));

/** Derivative of `softCap`, from its result. */
function capSlope(g: Graph, capped: Value, cap: number): Value {
  const share = scale(g, capped, 1 / cap);
  return sub(g, g.scalar(1), mul(g, share, share));
}

/** e[i, index[i] − start] + values[i] where that word is in the piece. e: (tokens, words), index, values: (tokens, 1) */
function addInPiece(g: Graph, e: Value, index: Value, values: Value, start: number, words: number): Value {
  const local = g.op('Sub', [index, g.ints(start)], index);
  const below = g.op('Min', [local, g.ints(words - 1)], index);
  const inside = g.op('Max', [below, g.ints(0)], index);
  const isHere = g.op('Equal', [inside, local], { type: 'bool', shape: index.shape });
  const here = g.op('Where', [isHere, values, g.scalar(0)], values);
  return g.op('ScatterElements', [e, inside, here], e, { axis: 1, reduction: 'add' });
}
