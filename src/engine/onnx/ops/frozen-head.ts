/**
 * Token losses through a frozen head in pieces of rows. Softmax is e / Σe with e = exp(h Wᵀ − max), and in the gradient by h
 * the division can follow the product with W. So the only arrays as large as the logits are the logits and e, which
 * replaces them. With a cap the logits are c · tanh(h Wᵀ / c), and a third array has their slopes 1 − (logit / c)².
 */
import type { Graph, Value } from '../graph';
import { add, mul, neg, scale, softCap, sub } from './elementwise';
import { linear } from './linear';
import { divergenceOf, type KeptWords } from './kept-words';
import { concat, reshape } from './shapes';

/** What the losses know of a head W. */
export interface FrozenTargets {
  /** Its rows, in order. */
  readonly pieces: readonly Value[];
  /** W[target] */
  readonly truth: Value;
  readonly target: Value;
}

/** The likely words of a teacher's distributions, and its share of the loss. */
export interface FrozenTeacher extends KeptWords {
  /** 0 … 1 */
  readonly weight: number;
}

/**
 * −log softmax(h Wᵀ)[target] = log Σ exp(h Wᵀ) − h · W[target], token by token, for frozen weights in pieces of rows. Its
 * gradient by h is (softmax(h Wᵀ) − onehot(target)) W. (The target is not subtracted after the product, where it would be a
 * small difference of large numbers.)
 * h: (tokens, n), pieces: (words, n) each, truth: W[target], (tokens, n), target: (tokens) int64 → (tokens)
 * @param cap bound of the logits, null for none
 */
export function frozenCrossEntropy(g: Graph, h: Value, targets: FrozenTargets, cap: number | null = null): Value {
  const head = frozenHead(g, h, targets, cap);
  return g.record(head.losses, [h], (d) => [
    () => head.gradient({ indices: column(g, targets.target), values: neg(g, head.sum) }, d),
  ]);
}

/**
 * (1 − w) times that, plus w times the divergence from a teacher of which the likely words are known (`keptDivergence`). Its
 * gradient by h costs the same products.
 * @returns the losses, which have a gradient, and the cross-entropies alone, which have none. (tokens) each
 */
export function frozenTaughtLoss(
  g: Graph,
  h: Value,
  targets: FrozenTargets,
  { ids, shares, weight }: FrozenTeacher,
  cap: number | null = null,
): { readonly losses: Value; readonly crossEntropies: Value } {
  const head = frozenHead(g, h, targets, cap);
  const chosen = head.picked(ids); // e of the teacher's words
  const own = g.op('Div', [chosen, head.sum], chosen); // the student's probabilities of them
  const { divergences, rest } = divergenceOf(g, own, { ids, shares });
  const losses = add(g, scale(g, head.losses, 1 - weight), scale(g, divergences, weight));
  return {
    crossEntropies: head.losses,
    losses: g.record(losses, [h], (d) => [
      () => {
        // ∂/∂logit · Σe: e (1 − w r) everywhere, with r = the teacher's rest / the student's; w (r e − Σe p) more at the
        // teacher's words; −(1 − w) Σe more at the target.
        const taught = scale(g, sub(g, mul(g, rest, chosen), mul(g, shares, head.sum)), weight);
        const told = scale(g, neg(g, head.sum), 1 - weight);
        return head.gradient(
          {
            indices: concat(g, [ids, column(g, targets.target)], 1),
            values: concat(g, [taught, told], 1),
            factor: sub(g, g.scalar(1), scale(g, rest, weight)),
          },
          d,
        );
      },
    ]),
  };
}

/** ∂loss/∂logit · Σe: e · factor everywhere, and `values` more at the words of `indices`. */
interface LogitGradient {
  /** (tokens, m) int64 */
  readonly indices: Value;
  /** (tokens, m) */
  readonly values: Value;
  /** (tokens, 1); 1 when undefined. */
  readonly factor?: Value;
}

interface FrozenHead {
  /** The cross-entropies, not recorded. (tokens) */
  readonly losses: Value;
  /** Σe. (tokens, 1) */
  readonly sum: Value;
  /** e of some words. (tokens, k) int64 → (tokens, k) */
  readonly picked: (ids: Value) => Value;
  /** The gradient by h. @param d ∂L/∂loss, (tokens) */
  readonly gradient: (by: LogitGradient, d: Value) => Value;
}

function frozenHead(g: Graph, h: Value, { pieces, truth }: FrozenTargets, cap: number | null): FrozenHead {
  const narrow = { type: h.type, shape: [h.shape[0], 1] };
  const last = g.ints(-1);
  const bounded = (z: Value): Value => (cap === null ? z : softCap(g, z, cap));
  const logits = pieces.map((piece) => bounded(linear(g, h, piece)));
  const maxima = logits.map((z) => g.op('ReduceMax', [z, last], narrow, { keepdims: 1 }));
  const max = maxima.length > 1 ? g.op('Max', maxima, narrow) : maxima[0];
  const exponentials = logits.map((z) => {
    const shifted = g.op('Sub', [z, max], z);
    return g.op('Exp', [shifted], z);
  });
  const parts = exponentials.map((e) => g.op('ReduceSum', [e, last], narrow, { keepdims: 1 }));
  const sum = parts.length > 1 ? g.op('Sum', parts, narrow) : parts[0];
  const logSum = g.op('Log', [sum], narrow);
  const products = g.op('Mul', [h, truth], h);
  const dot = bounded(g.op('ReduceSum', [products, last], narrow, { keepdims: 1 }));
  const losses = g.op('Sub', [g.op('Add', [max, logSum], narrow), dot], narrow);
  const starts = pieces.map((_, i) => pieces.slice(0, i).reduce((words, { shape }) => words + (shape[0] as number), 0));
  return {
    losses: reshape(g, losses, [h.shape[0]]),
    sum,
    picked: (ids) =>
      exponentials
        .map((e, i) => pickInPiece(g, e, placeInPiece(g, ids, starts[i], e)))
        .reduce((all, some) => add(g, all, some)),
    gradient: ({ indices, values, factor }, d) => {
      let weighted: Value | undefined; // (∂loss/∂logit · Σe) W, summed over the pieces
      for (const [i, e] of exponentials.entries()) {
        const base = factor ? g.op('Mul', [e, factor], e) : e;
        const changed = addInPiece(g, base, placeInPiece(g, indices, starts[i], e), values);
        const difference = cap === null ? changed : mul(g, changed, capSlope(g, logits[i], cap));
        const inputs = weighted ? [difference, pieces[i], weighted] : [difference, pieces[i]];
        weighted = g.op('Gemm', inputs, h);
      }
      const share = g.op('Div', [column(g, d), sum], narrow);
      return mul(g, weighted!, share);
    },
  };
}

const column = (g: Graph, x: Value): Value => reshape(g, x, [x.shape[0], 1]);

/** Derivative of `softCap`, from its result. */
function capSlope(g: Graph, capped: Value, cap: number): Value {
  const share = scale(g, capped, 1 / cap);
  return sub(g, g.scalar(1), mul(g, share, share));
}

/** Words as indices within a piece. */
interface PlaceInPiece {
  /** Some index of the piece for words outside it. */
  readonly inside: Value;
  readonly isHere: Value;
}

/** @param index (tokens, m) @param piece e of the piece, (tokens, words) */
function placeInPiece(g: Graph, index: Value, start: number, piece: Value): PlaceInPiece {
  const words = piece.shape[1] as number;
  const local = g.op('Sub', [index, g.ints(start)], index);
  const below = g.op('Min', [local, g.ints(words - 1)], index);
  const inside = g.op('Max', [below, g.ints(0)], index);
  return { inside, isHere: g.op('Equal', [inside, local], { type: 'bool', shape: index.shape }) };
}

/** e[i, index[i]] + values[i] where that word is in the piece. e: (tokens, words), values: (tokens, m) */
function addInPiece(g: Graph, e: Value, { inside, isHere }: PlaceInPiece, values: Value): Value {
  const here = g.op('Where', [isHere, values, g.scalar(0)], values);
  return g.op('ScatterElements', [e, inside, here], e, { axis: 1, reduction: 'add' });
}

/** e[i, index[i]] where that word is in the piece, else 0. (tokens, m) */
function pickInPiece(g: Graph, e: Value, { inside, isHere }: PlaceInPiece): Value {
  const shape = { type: e.type, shape: inside.shape };
  const found = g.op('GatherElements', [e, inside], shape, { axis: 1 });
  return g.op('Where', [isHere, found, g.scalar(0)], shape);
}
