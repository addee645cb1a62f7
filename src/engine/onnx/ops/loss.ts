/** The parts of the token loss −log softmax(z)[target] = log Σ exp(z) − z[target]. */
import type { Graph, Value } from '../graph';
import { mul, neg, scale, softCap, sub } from './elementwise';
import { linear } from './linear';
import { reduceSum } from './reduce';
import { reshape } from './shapes';

/**
 * log Σ exp over the last axis, which is removed: max + log Σ exp(z − max). z: (tokens, n) → (tokens)
 *
 * Four vectorised ops. onnxruntime's single operator for it, ReduceLogSumExp, takes five times as long on the CPU.
 */
export function logSumExpLast(g: Graph, z: Value): Value {
  const column = { type: z.type, shape: [...z.shape.slice(0, -1), 1] };
  const last = g.ints(-1);
  const max = g.op('ReduceMax', [z, last], column, { keepdims: 1 });
  const shifted = g.op('Sub', [z, max], z);
  const exponentials = g.op('Exp', [shifted], z);
  const sum = g.op('ReduceSum', [exponentials, last], column, { keepdims: 1 });
  const logSum = g.op('Log', [sum], column);
  return reshape(g, g.op('Add', [max, logSum], column), z.shape.slice(0, -1));
}

/** z[i, index[i]]. z: (tokens, n), index: (tokens) int64 → (tokens) */
export function pickLast(g: Graph, z: Value, index: Value): Value {
  const column = reshape(g, index, [index.shape[0], 1]);
  const picked = g.op('GatherElements', [z, column], { type: z.type, shape: [z.shape[0], 1] }, { axis: 1 });
  return reshape(g, picked, [z.shape[0]]);
}

/**
 * −log softmax(z)[target], token by token.
 * z: (tokens, n), target: (tokens) int64 → (tokens)
 */
export function crossEntropy(g: Graph, z: Value, target: Value): Value {
  const logProbabilities = g.op('LogSoftmax', [z], z, { axis: -1 });
  const picked = pickLast(g, logProbabilities, target);
  const losses = g.op('Neg', [picked], picked);
  return g.record(losses, [z], (d) => [
    () => {
      // ∂/∂z = softmax(z) − onehot(target)
      const probabilities = g.op('Exp', [logProbabilities], z);
      const rows = z.shape[0];
      const column = reshape(g, target, [rows, 1]);
      const minusOnes = g.op('Expand', [g.scalar(-1), g.op('Shape', [column], { type: 'int64', shape: [2] })], {
        type: 'float32',
        shape: [rows, 1],
      });
      const shifted = g.op('ScatterElements', [probabilities, column, minusOnes], z, { axis: 1, reduction: 'add' });
      return mul(g, shifted, reshape(g, d, [rows, 1]));
    },
  ]);
}

/** What `frozenCrossEntropy` knows of a head W. */
export interface FrozenTargets {
  /** Its rows, in order. */
  readonly pieces: readonly Value[];
  /** W[target] */
  readonly truth: Value;
  readonly target: Value;
}

/** Σ min(eᵃ, eᵇ) over the last axis, which is removed. a and b have one shape. It has no rule on the tape. */
export function sharedMass(g: Graph, a: Value, b: Value): Value {
  const least = g.op('Exp', [g.op('Min', [a, b], a)], a);
  return reduceSum(g, least, [a.shape.length - 1]);
}

/**
 * −log softmax(h Wᵀ)[target] = log Σ exp(h Wᵀ) − h · W[target], token by token, for frozen weights in pieces of rows.
 *
 * Its gradient with respect to h is (softmax(h Wᵀ) − onehot(target)) W. Softmax is e / Σe with e = exp(h Wᵀ − max), and
 * the division can follow the product of e − Σe onehot with W. So the only arrays as large as the logits are the logits
 * and e, which replaces them. (The target is not subtracted after the product, where it would be a small difference of
 * large numbers.) With a cap the logits are c · tanh(h Wᵀ / c), and a third array has their slopes 1 − (logit / c)².
 * h: (tokens, n), pieces: (words, n) each, truth: W[target], (tokens, n), target: (tokens) int64 → (tokens)
 * @param cap bound of the logits, null for none
 */
export function frozenCrossEntropy(
  g: Graph,
  h: Value,
  { pieces, truth, target }: FrozenTargets,
  cap: number | null = null,
): Value {
  const column = { type: h.type, shape: [h.shape[0], 1] };
  const last = g.ints(-1);
  const bounded = (z: Value): Value => (cap === null ? z : softCap(g, z, cap));
  const logits = pieces.map((piece) => bounded(linear(g, h, piece)));
  const maxima = logits.map((z) => g.op('ReduceMax', [z, last], column, { keepdims: 1 }));
  const max = maxima.length > 1 ? g.op('Max', maxima, column) : maxima[0];
  const exponentials = logits.map((z) => {
    const shifted = g.op('Sub', [z, max], z);
    return g.op('Exp', [shifted], z);
  });
  const parts = exponentials.map((e) => g.op('ReduceSum', [e, last], column, { keepdims: 1 }));
  const sum = parts.length > 1 ? g.op('Sum', parts, column) : parts[0];
  const logSum = g.op('Log', [sum], column);
  const products = g.op('Mul', [h, truth], h);
  const dot = bounded(g.op('ReduceSum', [products, last], column, { keepdims: 1 }));
  const losses = g.op('Sub', [g.op('Add', [max, logSum], column), dot], column);
  return g.record(reshape(g, losses, [h.shape[0]]), [h], (d) => [
    () => {
      const indices = reshape(g, target, column.shape);
      const missing = neg(g, sum);
      let weighted: Value | undefined; // (e − Σe onehot) W, summed over the pieces
      let start = 0;
      for (const [i, e] of exponentials.entries()) {
        const words = e.shape[1] as number;
        const capped = addInPiece(g, e, indices, missing, start, words);
        const difference = cap === null ? capped : mul(g, capped, capSlope(g, logits[i], cap));
        const inputs = weighted ? [difference, pieces[i], weighted] : [difference, pieces[i]];
        weighted = g.op('Gemm', inputs, h);
        start += words;
      }
      const share = g.op('Div', [reshape(g, d, column.shape), sum], column);
      return mul(g, weighted!, share);
    },
  ]);
}

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

/**
 * Forward Kullback–Leibler divergence Σ p_t (log p_t − log p) of a student's distribution from a teacher's.
 * z: the student's logits (tokens, n), teacher: (tokens, n), which has no gradient → (tokens)
 */
export function divergence(g: Graph, z: Value, teacher: Value): Value {
  const logStudent = g.op('LogSoftmax', [z], z, { axis: -1 });
  const logTeacher = g.op('LogSoftmax', [teacher], z, { axis: -1 });
  const pTeacher = g.op('Exp', [logTeacher], z);
  const difference = g.op('Sub', [logTeacher, logStudent], z);
  const weighted = g.op('Mul', [pTeacher, difference], z);
  const sums = g.op('ReduceSum', [weighted, g.ints(-1)], { type: z.type, shape: [z.shape[0]] }, { keepdims: 0 });
  return g.record(sums, [z], (d) => [
    () => {
      // ∂/∂z = p − p_t
      const pStudent = g.op('Exp', [logStudent], z);
      return mul(g, sub(g, pStudent, pTeacher), reshape(g, d, [z.shape[0], 1]));
    },
  ]);
}

/**
 * 1 − cos(x, teacher), token by token, as ½ ‖x̂ − t̂‖² with x̂ = x / ‖x‖: the same number, without the loss of digits
 * where both nearly agree.
 * x: (tokens, n), teacher: (tokens, n), which has no gradient → (tokens)
 */
export function cosineDistance(g: Graph, x: Value, teacher: Value): Value {
  const inverse = inverseNorm(g, x); // (tokens, 1)
  const unit = g.op('Mul', [x, inverse], x);
  const difference = g.op('Sub', [unit, g.op('Mul', [teacher, inverseNorm(g, teacher)], x)], x);
  const squares = g.op('Mul', [difference, difference], x);
  const column = { type: x.type, shape: [x.shape[0], 1] };
  const sums = g.op('ReduceSum', [squares, g.ints(-1)], column, { keepdims: 1 });
  const distances = g.op('Mul', [sums, g.scalar(0.5)], column);
  return g.record(reshape(g, distances, [x.shape[0]]), [x], (d) => [
    () => {
      // ∂/∂x = (cos · x̂ − t̂) / ‖x‖ = (x̂ − t̂ − (1 − cos) x̂) / ‖x‖
      const along = mul(g, unit, distances);
      return mul(g, sub(g, difference, along), mul(g, inverse, reshape(g, d, [x.shape[0], 1])));
    },
  ]);
}

/** A squared norm below this is that of a vector of zeros. */
const NO_NORM = 1e-24;

/** 1 / ‖x‖ over the last axis. (tokens, n) → (tokens, 1) */
function inverseNorm(g: Graph, x: Value): Value {
  const column = { type: x.type, shape: [x.shape[0], 1] };
  const squares = g.op('ReduceSum', [g.op('Mul', [x, x], x), g.ints(-1)], column, { keepdims: 1 });
  const norm = g.op('Sqrt', [g.op('Max', [squares, g.scalar(NO_NORM)], column)], column);
  return g.op('Reciprocal', [norm], column);
}
