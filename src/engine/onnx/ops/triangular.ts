/** Inverses of triangular matrices. */
import type { Graph, Value } from '../graph';
import { mul, neg } from './elementwise';
import { matmul } from './linear';
import { transpose } from './shapes';

/**
 * (I + A)⁻¹ with the part of A below the diagonal; the rest of A is not read. a: (…, n, n), n a power of two.
 *
 * From the inverses of the blocks on the diagonal come those of blocks of twice the size: of ((P, 0), (Q, R)), the lower left part
 * is −R⁻¹ Q P⁻¹. Each stage is two products of whole matrices, where substitution by rows takes a node and more for each row.
 *
 * Not as Π (I + (−A)^{2^j}): with equal keys, the powers of A grow to 1e17, and their sum, which is small, loses all digits.
 */
export function unitLowerInverse(g: Graph, a: Value): Value {
  const size = Number(a.shape.at(-1));
  const matrix = (op: string, ...inputs: Value[]): Value => g.op(op, inputs, a);
  const below = (stage: number): Value => matrix('Mul', a, blocksBelow(g, size, stage));
  // Blocks of 1: their inverses are 1.
  let inverse = matrix('Sub', identity(g, size), below(1));
  for (let stage = 2; stage < size; stage *= 2) {
    const corner = matrix('MatMul', inverse, matrix('MatMul', below(stage), inverse));
    inverse = matrix('Sub', inverse, corner);
  }
  const output = inverse;
  return g.record(output, [a], (d) => [
    () => {
      // d(X⁻¹) = −X⁻¹ dX X⁻¹
      const rank = a.shape.length;
      const turned = transpose(g, output, [...a.shape.keys()].with(rank - 2, rank - 1).with(rank - 1, rank - 2));
      const whole = neg(g, matmul(g, matmul(g, turned, d), turned));
      return mul(g, whole, lowerPart(g, size, -1));
    },
  ]);
}

/** 1 on and below the diagonal that lies `offset` columns to the right of the main one, else 0. (n, n) */
export const lowerPart = (g: Graph, size: number, offset = 0): Value =>
  square(g, `lower ${size} ${offset}`, size, (row, column) => column - row <= offset);

const identity = (g: Graph, size: number): Value =>
  square(g, `identity ${size}`, size, (row, column) => row === column);

/** 1 in the lower left parts of the blocks of twice `half` on the diagonal, else 0. */
const blocksBelow = (g: Graph, size: number, half: number): Value =>
  square(g, `blocks ${size} ${half}`, size, (row, column) => {
    const [i, j] = [Math.floor(row / half), Math.floor(column / half)];
    return i % 2 === 1 && j === i - 1;
  });

function square(g: Graph, key: string, size: number, is: (row: number, column: number) => boolean): Value {
  return g.once(key, () =>
    g.floats(
      Float32Array.from({ length: size * size }, (_, at) => Number(is(Math.floor(at / size), at % size))),
      [size, size],
    ),
  );
}
