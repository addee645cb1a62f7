/**
 * Rows of tokens with common beginnings as one tree, which computes each beginning once: the context of a question with
 * its choices behind it. A token attends to itself and to those before it on its own row; its position is its depth.
 */
import { float32, int64, type Tensor } from '../onnx/session';

/** A number that a softmax turns into 0. */
const HIDDEN = -1e30;

export interface TokenTree {
  readonly ids: readonly number[];
  /** The token before each, which has a lower number; −1 for the first token of a row. */
  readonly parents: readonly number[];
  /** Position of each token in its row, from 0. */
  readonly positions: readonly number[];
  /** The class of each token's row: its rotation has the angles of that class. */
  readonly classes: readonly number[];
  /** For each row, the nodes of its tokens in order. */
  readonly rows: readonly (readonly number[])[];
}

/**
 * @param rows token ids; rows of different lengths
 * @param classOf stands for the lengths of rows for which the model's rotation has the same angles (`lengthClass`). Only rows of
 *   one class share tokens
 */
export function treeOf(rows: readonly (readonly number[])[], classOf: (length: number) => number = () => 0): TokenTree {
  const ids: number[] = [];
  const parents: number[] = [];
  const positions: number[] = [];
  const classes: number[] = [];
  const children = new Map<string, number>();
  const nodes = rows.map((row) => {
    let parent = -1;
    const own = classOf(row.length);
    return row.map((id, position) => {
      const key = `${own} ${parent} ${id}`;
      let node = children.get(key);
      if (node === undefined) {
        children.set(key, (node = ids.length));
        ids.push(id);
        parents.push(parent);
        positions.push(position);
        classes.push(own);
      }
      return (parent = node);
    });
  });
  return { ids, parents, positions, classes, rows: nodes };
}

/** The classes of the rows of some trees, ascending. */
export const classesOf = (trees: readonly TokenTree[]): readonly number[] =>
  [...new Set(trees.flatMap((tree) => tree.classes))].sort((a, b) => a - b);

/**
 * Places of the tokens of some trees in tables with `length` positions for each of `classesOf`, padded to `length`. (trees,
 * length), int64
 */
export function treePositions(trees: readonly TokenTree[], length: number): Tensor {
  const starts = new Map(classesOf(trees).map((each, i) => [each, i * length]));
  const positions = trees.flatMap((tree) => [
    ...tree.positions.map((position, node) => starts.get(tree.classes[node])! + position),
    ...Array<number>(length - tree.positions.length).fill(0),
  ]);
  return int64(positions, [trees.length, length]);
}

/**
 * What attention adds to its scores: 0 where a token sees another one of its row, else a number whose softmax is 0. A
 * padding token sees itself. (trees, 1, length, length)
 * @param window a token sees itself and this many − 1 before it; null is all of them
 */
export function treeMask(trees: readonly TokenTree[], length: number, window: number | null): Tensor {
  const mask = new Float32Array(trees.length * length * length).fill(HIDDEN);
  for (const [t, { parents }] of trees.entries()) {
    for (let i = 0; i < length; i++) {
      const row = (t * length + i) * length;
      mask[row + i] = 0;
      let seen = 1;
      for (let j = parents[i] ?? -1; j >= 0 && (window === null || seen < window); j = parents[j], seen++) {
        mask[row + j] = 0;
      }
    }
  }
  return float32(mask, [trees.length, 1, length, length]);
}
