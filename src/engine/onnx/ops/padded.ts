/**
 * What a mask over the tokens of a batch says: which tokens are padding, and so at which position each token is. Rows may be
 * padded on either side.
 */
import type { Dim, Graph, Value } from '../graph';
import { sub } from './elementwise';
import { reduceSum } from './reduce';
import { cast, reshape } from './shapes';

/** A score whose softmax is 0 beside any other. */
const NEVER = -1e30;
/** A position behind every other. */
const BEYOND = 2 ** 30;
const TO_THE_END = 2 ** 31 - 1;

/** Tokens of each row, minus 1. mask: (rows, total) int64, 0 at padding → (rows) int32 */
export function lastPositions(g: Graph, mask: Value): Value {
  return g.once(`last ${mask.name}`, () => cast(g, sub(g, reduceSum(g, mask, [1]), g.ints(1)), 'int32'));
}

/** The position of every token, (rows, total) int32; padding has that of the token before it, or −1. */
function allPositions(g: Graph, mask: Value): Value {
  return g.once(`positions ${mask.name}`, () => {
    const one = cast(g, g.ints(1), 'int32');
    const counted = cast(g, mask, 'int32');
    return sub(g, g.op('CumSum', [counted, reshape(g, one, [])], counted), one);
  });
}

/** The same of the last `length` tokens, (rows, length) int32. `length` names an extent of an input. */
const newPositions = (g: Graph, mask: Value, length: Dim): Value =>
  g.once(`new positions ${mask.name}`, () => lastColumns(g, allPositions(g, mask), length));

/** Which of the last `length` tokens are no padding: 1 or 0, (rows, length) int64. `length` names an extent of an input. */
export const newTokens = (g: Graph, mask: Value, length: Dim): Value =>
  g.once(`new tokens ${mask.name}`, () => lastColumns(g, mask, length));

/** How many of the last `length` tokens there are up to the last one that is no padding, (rows, 1) int64. */
export function newEnds(g: Graph, mask: Value, length: Dim): Value {
  return g.once(`ends ${mask.name}`, () => {
    const tokens = newTokens(g, mask, length);
    const ones = g.op('Max', [tokens, g.ints(1)], tokens);
    const counted = g.op('CumSum', [ones, reshape(g, g.ints(1), [])], tokens);
    const places = g.op('Mul', [counted, tokens], tokens);
    return g.op('ReduceMax', [places, g.ints(1)], { type: 'int64', shape: [mask.shape[0], 1] }, { keepdims: 1 });
  });
}

function lastColumns(g: Graph, x: Value, length: Dim): Value {
  const start = g.op('Neg', [g.dimension(String(length))], { type: 'int64', shape: [1] });
  return g.op('Slice', [x, start, g.ints(TO_THE_END), g.ints(1)], { type: x.type, shape: [x.shape[0], length] });
}

/** Positions of the new tokens as rotations want them: at least 0. (rows, length) int64 */
export function rotatedPositions(g: Graph, mask: Value, length: Dim): Value {
  return g.once(`rotated ${mask.name}`, () => {
    const wide = cast(g, newPositions(g, mask, length), 'int64');
    return g.op('Max', [wide, g.ints(0)], wide);
  });
}

/**
 * What is added to the scores of new tokens, so that each sees itself and the tokens before it that are no padding: 0, or a
 * number whose softmax is 0. (rows, 1, length, total) float32
 * @param window a token sees itself and this many − 1 before it; null is all of them
 */
export function paddedMask(g: Graph, mask: Value, length: Dim, window: number | null): Value {
  return g.once(`mask ${mask.name} ${window}`, () => {
    const [rows, total] = mask.shape;
    const shape = [rows, 1, length, total];
    const keys = g.once(`keys ${mask.name}`, () => {
      const isToken = cast(g, mask, 'bool');
      const all = allPositions(g, mask);
      const beyond = cast(g, g.ints(BEYOND), 'int32');
      const placed = g.op('Where', [isToken, all, beyond], all);
      return g.op('Unsqueeze', [placed, g.ints(1, 2)], { type: 'int32', shape: [rows, 1, 1, total] });
    });
    const queries = g.once(`queries ${mask.name}`, () => {
      const positions = newPositions(g, mask, length);
      return g.op('Unsqueeze', [positions, g.ints(1, 3)], { type: 'int32', shape: [rows, 1, length, 1] });
    });
    const [seen, unseen] = [g.scalar(0), g.scalar(NEVER)];
    const choose = (condition: Value, yes: Value): Value =>
      g.op('Where', [condition, yes, unseen], { type: 'float32', shape });
    const isBefore = g.op('LessOrEqual', [keys, queries], { type: 'bool', shape });
    if (window === null) return choose(isBefore, seen);
    const first = sub(g, queries, cast(g, g.ints(window), 'int32'));
    return choose(isBefore, choose(g.op('Less', [first, keys], { type: 'bool', shape }), seen));
  });
}
