/** What the token loss −log softmax(z)[target] = log Σ exp(z) − z[target] is made of. */
import type { Graph, Value } from '../graph';
import { mul, sub } from './elementwise';
import { reshape } from './shapes';

/**
 * log Σ exp over the last axis, which goes: max + log Σ exp(z − max). z: (tokens, n) → (tokens)
 *
 * Four vectorised ops; onnxruntime's one operator for it, ReduceLogSumExp, takes five times as long on the CPU.
 */
export function logSumExpLast(g: Graph, z: Value): Value {
  const column = { type: z.type, shape: [...z.shape.slice(0, -1), 1] };
  const last = g.ints(-1);
  const [max] = g.node('ReduceMax', [z, last], { keepdims: 1 }, [column]);
  const [shifted] = g.node('Sub', [z, max], {}, [z]);
  const [exponentials] = g.node('Exp', [shifted], {}, [z]);
  const [sum] = g.node('ReduceSum', [exponentials, last], { keepdims: 1 }, [column]);
  const [logSum] = g.node('Log', [sum], {}, [column]);
  return reshape(g, g.node('Add', [max, logSum], {}, [column])[0], z.shape.slice(0, -1));
}

/** z[i, index[i]]. z: (tokens, n), index: (tokens) int64 → (tokens) */
export function pickLast(g: Graph, z: Value, index: Value): Value {
  const column = reshape(g, index, [index.shape[0], 1]);
  const [picked] = g.node('GatherElements', [z, column], { axis: 1 }, [{ type: z.type, shape: [z.shape[0], 1] }]);
  return reshape(g, picked, [z.shape[0]]);
}

/**
 * −log softmax(z)[target], token by token.
 * z: (tokens, n), target: (tokens) int64 → (tokens)
 */
export function crossEntropy(g: Graph, z: Value, target: Value): Value {
  const [logProbabilities] = g.node('LogSoftmax', [z], { axis: -1 }, [z]);
  const picked = pickLast(g, logProbabilities, target);
  const [losses] = g.node('Neg', [picked], {}, [picked]);
  return g.record(losses, [z], (d) => [
    () => {
      // ∂/∂z = softmax(z) − onehot(target)
      const [probabilities] = g.node('Exp', [logProbabilities], {}, [z]);
      const rows = z.shape[0];
      const column = reshape(g, target, [rows, 1]);
      const [minusOnes] = g.node(
        'Expand',
        [g.scalar(-1), g.node('Shape', [column], {}, [{ type: 'int64', shape: [2] }])[0]],
        {},
        [{ type: 'float32', shape: [rows, 1] }],
      );
      const [shifted] = g.node('ScatterElements', [probabilities, column, minusOnes], { axis: 1, reduction: 'add' }, [
        z,
      ]);
      return mul(g, shifted, reshape(g, d, [rows, 1]));
    },
  ]);
}

/**
 * Forward Kullback–Leibler divergence Σ p_t (log p_t − log p) of a student's distribution from a teacher's.
 * z: the student's logits (tokens, n), teacher: (tokens, n), which has no gradient → (tokens)
 */
export function divergence(g: Graph, z: Value, teacher: Value): Value {
  const [logStudent] = g.node('LogSoftmax', [z], { axis: -1 }, [z]);
  const [logTeacher] = g.node('LogSoftmax', [teacher], { axis: -1 }, [z]);
  const [pTeacher] = g.node('Exp', [logTeacher], {}, [z]);
  const [difference] = g.node('Sub', [logTeacher, logStudent], {}, [z]);
  const [weighted] = g.node('Mul', [pTeacher, difference], {}, [z]);
  const [sums] = g.node('ReduceSum', [weighted, g.ints(-1)], { keepdims: 0 }, [{ type: z.type, shape: [z.shape[0]] }]);
  return g.record(sums, [z], (d) => [
    () => {
      // ∂/∂z = p − p_t
      const [pStudent] = g.node('Exp', [logStudent], {}, [z]);
      return mul(g, sub(g, pStudent, pTeacher), reshape(g, d, [z.shape[0], 1]));
    },
  ]);
}
