/** The parts of the token loss −log softmax(z)[target] = log Σ exp(z) − z[target]. */
import type { Graph, Value } from '../graph';
import { mul, sub } from './elementwise';
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

/** Σ min(eᵃ, eᵇ) over the last axis, which is removed. a and b have one shape. It has no rule on the tape. */
export function sharedMass(g: Graph, a: Value, b: Value): Value {
  const least = g.op('Exp', [g.op('Min', [a, b], a)], a);
  return reduceSum(g, least, [a.shape.length - 1]);
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
