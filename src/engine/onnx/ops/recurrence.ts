/**
 * The recurrences of mixers whose state is a matrix S a head, (key width, value width), in three forms: onnxruntime's fused
 * operator, chunks of tokens in plain products, and one token. Chunks have gradients and are correct on every execution provider.
 *
 *     S ← e^g S;  u = v, or by the delta rule u = β (v − Sᵀ k);  S ← S + k uᵀ;  o = Sᵀ q
 *
 * With β it is the gated delta rule (Yang et al. 2025), without it the state space of Mamba-2 (Dao & Gu 2024), whose keys are B,
 * queries C, values Δ x, and decays Δ a.
 */
import type { Graph, Value } from '../graph';
import { chain } from './chain';
import { add, mul, sub } from './elementwise';
import { extentOf, padTokens, repeatEach, sliceTokens } from './extents';
import { cumulate, exp } from './gates';
import { matmul } from './linear';
import { reduceSum } from './reduce';
import { concat, reshape, split, transpose } from './shapes';
import { lowerPart, unitLowerInverse } from './triangular';

export interface Recurrence {
  /** (rows, length, keyHeads, keyWidth): a key head serves heads / keyHeads neighbouring heads. */
  readonly query: Value;
  readonly key: Value;
  /** (rows, length, heads, valueWidth) */
  readonly value: Value;
  /** g ≤ 0, (rows, length, heads) */
  readonly decay: Value;
  /** β of the delta rule, (rows, length, heads); undefined is the plain sum. */
  readonly beta?: Value;
  /** The state before the first token, (rows, heads, keyWidth, valueWidth); zeros when undefined. */
  readonly state?: Value;
}

/** What was read for each token, (rows, length, heads, valueWidth), and the state after the last. */
export interface Recurred {
  readonly output: Value;
  readonly state: Value;
}

/** Tokens of a chunk. */
const CHUNK = 64;
/** Exponents of decays within a chunk are not smaller: see softmax.ts. */
const LEAST = -50;

/**
 * By onnxruntime's `LinearAttention`, token by token. On the CPU it takes a third of the time of the chunks, and less for long texts. No
 * gradient.
 */
export function fusedRecurrence(g: Graph, { query, key, value, decay, beta, state }: Recurrence): Recurred {
  const [rows, length, heads, valueWidth] = value.shape;
  const [keyHeads, keyWidth] = [Number(key.shape[2]), Number(key.shape[3])];
  const flat = (x: Value): Value => reshape(g, x, [x.shape[0], x.shape[1], Number(x.shape[2]) * Number(x.shape[3])]);
  const [output, after] = g.contrib(
    'LinearAttention',
    [flat(query), flat(key), flat(value), state, decay, beta],
    {
      q_num_heads: keyHeads,
      kv_num_heads: Number(heads),
      update_rule: beta ? 'gated_delta' : 'gated',
      scale: { float: 1 },
    },
    [
      { type: value.type, shape: [rows, length, Number(heads) * Number(valueWidth)] },
      { type: value.type, shape: [rows, heads, keyWidth, valueWidth] },
    ],
  );
  return { output: reshape(g, output, value.shape), state: after };
}

/** One token, length 1, by plain products, for decoding where the fused operator is not. No gradient. */
export function recurrenceStep(g: Graph, { query, key, value, decay, beta, state }: Recurrence): Recurred {
  const [rows, , heads, valueWidth] = value.shape;
  const [keyHeads, keyWidth] = [Number(key.shape[2]), Number(key.shape[3])];
  const each = (x: Value, width: number): Value =>
    repeatEach(g, reshape(g, x, [rows, keyHeads, 1, width]), 1, Number(heads) / keyHeads);
  const single = (x: Value): Value => reshape(g, x, [rows, heads, 1, 1]);
  const k = each(key, keyWidth);
  const v = reshape(g, value, [rows, heads, 1, valueWidth]);
  const turned = transpose(g, k, [0, 1, 3, 2]);
  const faded = state && mul(g, state, exp(g, single(decay)));
  const seen = faded && beta ? sub(g, v, matmul(g, k, faded)) : v;
  const written = matmul(g, turned, beta ? mul(g, seen, single(beta)) : seen);
  const after = faded ? add(g, faded, written) : written;
  return { output: reshape(g, matmul(g, each(query, keyWidth), after), value.shape), state: after };
}

/**
 * In chunks of 64 tokens: products within them, and one recurrence over their states. With G the running sum of g in a chunk,
 * Γ_ij = e^{G_i − G_j} for j ≤ i, and T = (I + the part of (β k kᵀ ⊙ Γ) below the diagonal)⁻¹,
 *
 *     U = T β v,  W = T (β k ⊙ e^G)                  (without β: U = v, W = 0)
 *     V = U − W S;  o = (q ⊙ e^G) S + (q kᵀ ⊙ Γ) V;  S ← e^{G_last} S + (k ⊙ e^{G_last − G})ᵀ V
 *
 * and the last is S ← (e^{G_last} I − k̃ᵀ W) S + k̃ᵀ U, whose matrices are known before any state is.
 */
export function chunkedRecurrence(g: Graph, { query, key, value, decay, beta, state }: Recurrence): Recurred {
  const [rows, length, heads, valueWidth] = value.shape;
  const repeats = Number(heads) / Number(key.shape[2]);
  const count = extentOf(g, value, 1);
  const vector = { type: 'int64', shape: [1] } as const;
  const missing = g.op('Mod', [g.op('Neg', [count], vector), g.ints(CHUNK)], vector);
  const chunks = (x: Value): Value => inChunks(g, padTokens(g, x, { after: missing }, 'wholeChunks'));
  // (chunks, rows, heads, 64, width)
  const [q, k] = [query, key].map((x) => repeatEach(g, chunks(x), 2, repeats));
  const v = chunks(value);
  const column = (x: Value): Value => chunks(reshape(g, x, [rows, length, Number(heads), 1]));
  const fading = column(decay);
  const summed = cumulate(g, fading, 3); // G
  const gamma = decays(g, fading);
  const turned = (x: Value): Value => transpose(g, x, [0, 1, 2, 4, 3]);
  const keys = turned(k);

  const [, last] = split(g, summed, 3, [CHUNK - 1, 1]);
  const whole = exp(g, last); // e^{G_last}: (chunks, rows, heads, 1, 1)
  const [, untilLast] = split(g, gamma, 3, [CHUNK - 1, 1]); // e^{G_last − G}: (chunks, rows, heads, 1, 64)
  const late = mul(g, keys, untilLast); // k̃ᵀ
  const early = exp(g, summed); // e^G

  const solved = beta && solve(g, { k, v, keys, gamma, early, beta: column(beta) });
  const u = solved?.u ?? v;
  const factors = solved ? sub(g, mul(g, whole, unit(g, Number(key.shape[3]))), matmul(g, late, solved.w)) : whole;
  const first = state ?? zeros(g, value, [rows, heads, key.shape[3], valueWidth]);
  const { before, last: after } = chain(g, factors, matmul(g, late, u), first);
  const written = solved ? sub(g, u, matmul(g, solved.w, before)) : u; // V
  const within = matmul(g, mul(g, matmul(g, q, keys), gamma), written);
  const output = add(g, matmul(g, mul(g, q, early), before), within);
  const joined = outOfChunks(g, output);
  return { output: sliceTokens(g, joined, g.ints(0), count, length), state: after };
}

/** What the tokens of a chunk write if the chunk began with nothing, u, and what they take back of a state, w. */
function solve(
  g: Graph,
  { k, v, keys, gamma, early, beta }: Record<'k' | 'v' | 'keys' | 'gamma' | 'early' | 'beta', Value>,
): { u: Value; w: Value } {
  const weighed = mul(g, k, beta);
  const inverse = unitLowerInverse(g, mul(g, matmul(g, weighed, keys), gamma));
  const axis = v.shape.length - 1;
  const both = matmul(g, inverse, concat(g, [mul(g, v, beta), mul(g, weighed, early)], axis));
  const [u, w] = split(g, both, axis, [Number(v.shape[axis]), Number(k.shape[axis])]);
  return { u, w };
}

/**
 * Γ_ij = e^(the sum of what comes after j, up to i) for j ≤ i, else 0. Each sum by itself, as a product with ones: differences of
 * running sums would lose the small decays that follow a large one. decay: (…, n, 1) → (…, n, n)
 */
function decays(g: Graph, decay: Value): Value {
  const axis = decay.shape.length - 1;
  const size = Number(decay.shape[axis - 1]);
  const matrix = { type: decay.type, shape: decay.shape.with(axis, size) };
  const [upTo, after] = [lowerPart(g, size), lowerPart(g, size, -1)];
  const sums = g.op('MatMul', [upTo, g.op('Mul', [decay, after], matrix)], matrix);
  const bounded = g.op('Clip', [sums, g.scalar(LEAST)], matrix);
  const output = g.op('Mul', [g.op('Exp', [bounded], matrix), upTo], matrix);
  return g.record(output, [decay], (d) => [
    () => {
      const rest = transpose(g, upTo, [1, 0]);
      const gathered = g.op('MatMul', [rest, mul(g, d, output)], matrix);
      return reduceSum(g, mul(g, gathered, after), [axis], true);
    },
  ]);
}

/** (rows, n · 64, heads, width) → (n, rows, heads, 64, width) */
function inChunks(g: Graph, x: Value): Value {
  const [rows, , heads, width] = x.shape;
  return transpose(g, reshape(g, x, [rows, 'chunks', CHUNK, heads, width]), [1, 0, 3, 2, 4]);
}

/** (n, rows, heads, 64, width) → (rows, n · 64, heads, width) */
function outOfChunks(g: Graph, x: Value): Value {
  const [, rows, heads, , width] = x.shape;
  return reshape(g, transpose(g, x, [1, 0, 3, 2, 4]), [rows, 'wholeChunks', heads, width]);
}

const unit = (g: Graph, size: number): Value =>
  g.once(`unit ${size}`, () =>
    g.floats(
      Float32Array.from({ length: size * size }, (_, at) => Number(at % (size + 1) === 0)),
      [size, size],
    ),
  );

/** Zeros for each row of x. @param shape begins with the rows */
function zeros(g: Graph, x: Value, shape: Value['shape']): Value {
  const vector = g.op(
    'Concat',
    [extentOf(g, x, 0), g.ints(...shape.slice(1).map(Number))],
    {
      type: 'int64',
      shape: [shape.length],
    },
    { axis: 0 },
  );
  return g.op('Expand', [g.scalar(0), vector], { type: x.type, shape });
}
