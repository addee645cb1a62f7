/**
 * Divergence from a teacher's distributions of which the k most likely words were kept. All other words count as one more
 * word, with what is left of the probability: Σ_K p_i (log p_i − log q_i) + p_rest (log p_rest − log q_rest). It is never
 * above the divergence over all words, and equal to it where both models share the rest out alike.
 */
import type { Graph, Value } from '../graph';
import { mul, sub } from './elementwise';
import { concat, reshape } from './shapes';

/** What is kept of a teacher's distributions. */
export interface KeptWords {
  /** The words, (tokens, k) int64. */
  readonly ids: Value;
  /** Their probabilities, (tokens, k). */
  readonly shares: Value;
}

/** The teacher's rest over the student's. (tokens, 1) */
export type RestShares = Value;

/** A student's rest below this is a difference of rounded sums. */
const LEAST_REST = 1e-6;
/** For logarithms of a probability that is 0, whose product with it is 0. */
const TINY = 1e-30;

/**
 * The divergences, which have no gradient rule here.
 * @param own the student's probabilities of the words, (tokens, k)
 */
export function divergenceOf(
  g: Graph,
  own: Value,
  { shares }: KeptWords,
): { readonly divergences: Value; readonly rest: RestShares } {
  const narrow = { type: own.type, shape: [own.shape[0], 1] };
  const last = g.ints(-1);
  const sum = (x: Value): Value => g.op('ReduceSum', [x, last], narrow, { keepdims: 1 });
  const left = (x: Value, least: number): Value =>
    g.op('Max', [g.op('Sub', [g.scalar(1), sum(x)], narrow), g.scalar(least)], narrow);
  const log = (x: Value): Value => g.op('Log', [g.op('Max', [x, g.scalar(TINY)], x)], x);
  const term = (p: Value, q: Value): Value => g.op('Mul', [p, g.op('Sub', [log(p), log(q)], p)], p);
  const [theirs, ours] = [left(shares, 0), left(own, LEAST_REST)];
  const all = g.op('Add', [sum(term(shares, own)), term(theirs, ours)], narrow);
  return { divergences: reshape(g, all, [own.shape[0]]), rest: g.op('Div', [theirs, ours], narrow) };
}

/**
 * The same for a student's logits, with its gradient.
 * z: (tokens, n) → (tokens)
 */
export function keptDivergence(g: Graph, z: Value, kept: KeptWords): Value {
  const { ids, shares } = kept;
  const probabilities = g.op('Softmax', [z], z, { axis: -1 });
  const own = g.op('GatherElements', [probabilities, ids], shares, { axis: 1 });
  const { divergences, rest } = divergenceOf(g, own, kept);
  return g.record(divergences, [z], (d) => [
    () => {
      // ∂/∂z = q (1 − r) everywhere, with r = the teacher's rest / the student's, and r q − p more at the words.
      const base = mul(g, probabilities, sub(g, g.scalar(1), rest));
      const more = sub(g, mul(g, rest, own), shares);
      const all = g.op('ScatterElements', [base, ids, more], z, { axis: 1, reduction: 'add' });
      return mul(g, all, reshape(g, d, [z.shape[0], 1]));
    },
  ]);
}

/**
 * The k most likely words of softmax(z), of equal ones the lower first, and their probabilities.
 * @param pieces the logits z by pieces of the vocabulary, (tokens, words) each
 */
export function likelyLast(g: Graph, pieces: readonly Value[], k: number): KeptWords {
  const column = { type: 'float32', shape: [pieces[0].shape[0], 1] } as const;
  const wide = (type: 'float32' | 'int64', words: number) => ({ type, shape: [column.shape[0], words] }) as const;
  const last = g.ints(-1);
  const top = (z: Value, words: number): Value[] =>
    g.node('TopK', [z, g.ints(words)], { axis: -1 }, [wide('float32', words), wide('int64', words)]);
  let start = 0;
  const found = pieces.map((z) => {
    const words = z.shape[1] as number;
    const [logits, local] = top(z, Math.min(k, words));
    const ids = g.op('Add', [local, g.ints(start)], local);
    start += words;
    return { logits, ids };
  });
  const all = (of: keyof (typeof found)[number]): Value =>
    found.length > 1
      ? concat(
          g,
          found.map((each) => each[of]),
          1,
        )
      : found[0][of];
  const [best, places] = top(all('logits'), k);
  const ids = g.op('GatherElements', [all('ids'), places], places, { axis: 1 });
  const max = g.op('ReduceMax', [best, last], column, { keepdims: 1 });
  const weight = (z: Value): Value => g.op('Exp', [g.op('Sub', [z, max], z)], z);
  const parts = pieces.map((z) => g.op('ReduceSum', [weight(z), last], column, { keepdims: 1 }));
  const sum = parts.length > 1 ? g.op('Sum', parts, column) : parts[0];
  return { ids, shares: g.op('Div', [weight(best), sum], best) };
}
