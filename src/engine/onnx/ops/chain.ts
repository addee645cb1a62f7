/** A recurrence over the first axis: matrices that depend on those before them. */
import { Graph, type Value } from '../graph';
import { matmul } from './linear';
import { reduceSum } from './reduce';
import { transpose } from './shapes';
import { mul } from './elementwise';

/**
 * S₀ = first, S_{n+1} = A_n S_n + B_n, for n = 0 … N − 1.
 *
 * One Scan of onnxruntime. Its gradient is a recurrence of the same kind, backwards: with D_n what the loss changes by S_n through
 * all that follows, D_n = A_nᵀ D_{n+1} + dS_n. So the body needs no gradient rule.
 * @param factors A: (N, …, k, k), or (N, …, 1, 1) for multiples of the identity
 * @param terms B: (N, …, k, m)
 * @param first (…, k, m)
 * @returns the matrices before each step, S₀ … S_{N−1}: (N, …, k, m), and the last, S_N: (…, k, m)
 */
export function chain(g: Graph, factors: Value, terms: Value, first: Value): { before: Value; last: Value } {
  const [last, before] = scan(g, factors, terms, first, false);
  g.tape.push({
    outputs: [before, last],
    inputs: [factors, terms, first],
    backward: ([dBefore, dLast]) => {
      let found: { each: Value; start: Value } | undefined;
      // The D that each step gets from behind it, D_{n+1}, and D_0.
      const behind = (): { each: Value; start: Value } => {
        if (found) return found;
        const end = dLast ?? g.op('Mul', [first, g.scalar(0)], first);
        const given = dBefore ?? g.op('Mul', [terms, g.scalar(0)], terms);
        const [start, each] = scan(g, transposed(g, factors), given, end, true);
        return (found = { each, start });
      };
      return [
        () => {
          const { each } = behind();
          const rank = factors.shape.length;
          return isScalar(factors)
            ? reduceSum(g, mul(g, each, before), [rank - 2, rank - 1], true)
            : matmul(g, each, transposed(g, before));
        },
        () => behind().each,
        () => behind().start,
      ];
    },
  });
  return { before, last };
}

const isScalar = (factors: Value): boolean => factors.shape.at(-1) === 1;

const transposed = (g: Graph, x: Value): Value => {
  const rank = x.shape.length;
  return x.shape.at(-1) === 1
    ? x
    : transpose(g, x, [...x.shape.keys()].with(rank - 2, rank - 1).with(rank - 1, rank - 2));
};

/** @returns the last matrix, and the matrix before each step, in the order of the factors */
function scan(g: Graph, factors: Value, terms: Value, first: Value, backwards: boolean): [Value, Value] {
  const one = (x: Value): Omit<Value, 'name'> => ({ type: x.type, shape: x.shape.slice(1) });
  const body = Graph.body(`${first.name}.${factors.name}.`, (b) => {
    const state = b.input('S', first.type, first.shape);
    const factor = b.input('A', factors.type, one(factors).shape);
    const term = b.input('B', terms.type, one(terms).shape);
    const turned = b.op(isScalar(factors) ? 'Mul' : 'MatMul', [factor, state], first);
    b.output('next', b.op('Add', [turned, term], first));
    b.output('before', b.op('Identity', [state], first));
  });
  const direction = backwards ? 1 : 0;
  const [last, before] = g.node(
    'Scan',
    [first, factors, terms],
    {
      ...{ body, num_scan_inputs: 2 },
      ...(backwards && { scan_input_directions: [direction, direction], scan_output_directions: [direction] }),
    },
    [first, { type: terms.type, shape: terms.shape }],
  );
  return [last, before];
}
