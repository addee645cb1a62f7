/**
 * The decoder-only Transformer in plain loops and float64, written from its definition: a second, independent
 * reference beside the golden numbers, for any checkpoint that a test writes. Slow on purpose; meant for toys.
 */
import { readCheckpointTensors, type TestTensor } from '../support/safetensors';
import { readReferenceConfig, type ReferenceConfig } from './config';
import type { ReferenceRotation } from './rope';

/** Which attention and FFN parts take effect (true); a part left out lets the residual stream pass, its norm with it. */
export interface ReferenceView {
  readonly attention: readonly boolean[];
  readonly ffn: readonly boolean[];
}

/** Numbers of any precision: gradients are measured by moving float64 weights a little. */
export interface ReferenceTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array | Float64Array;
}

/** What LoRA adds to a Linear: factor · B A (mask ⊙ x). */
export interface ReferenceAdapter {
  /** (rank, in) */
  readonly a: ReferenceTensor;
  /** (out, rank) */
  readonly b: ReferenceTensor;
  readonly factor: number;
  /** Dropout's factor for each element of the input, by position. */
  readonly mask?: readonly Vector[];
}

export interface ReferenceModel {
  readonly config: ReferenceConfig;
  readonly tensors: ReadonlyMap<string, ReferenceTensor>;
  /** By the Linear's name: "model.layers.0.self_attn.q_proj". */
  readonly adapters?: ReadonlyMap<string, ReferenceAdapter>;
}

export interface ReferenceForward {
  /** The residual stream before block k for k = 0 … L − 1, and after the last block: `[k][position]` is a vector of `hidden`. */
  readonly residuals: readonly (readonly Vector[])[];
  /** `[position]` is a vector of `vocabulary`. */
  readonly logits: readonly Vector[];
}

export type Vector = Float64Array;

/** A model as its files have it. */
export interface LoadedReference extends ReferenceModel {
  readonly tensors: ReadonlyMap<string, TestTensor>;
}

/** Reads a checkpoint's folder. */
export function loadReference(folder: string): LoadedReference {
  return { config: readReferenceConfig(folder), tensors: readCheckpointTensors(folder) };
}

/** Runs the model over one row of ids. */
export function referenceForward(
  model: ReferenceModel,
  ids: readonly number[],
  view?: ReferenceView,
): ReferenceForward {
  const { config } = model;
  let x = referenceEmbedding(model, ids);
  const residuals = [x];
  for (let block = 0; block < config.blocks; block++) {
    const parts = { attention: view?.attention[block] ?? true, ffn: view?.ffn[block] ?? true };
    x = referenceBlock(model, block, x, parts);
    residuals.push(x);
  }
  return { residuals, logits: referenceHead(model, x) };
}

/** Logits of a residual stream after the last block: final norm, head, divisor and cap. */
export function referenceHead(model: ReferenceModel, x: readonly Vector[]): Vector[] {
  const { logitDivisor, logitCap } = model.config;
  const head = model.tensors.has('lm_head.weight') ? 'lm_head' : 'model.embed_tokens';
  const logits = linear(model, head, rmsNorm(model, 'model.norm', x));
  return logits.map((v) => mapped(v, (z) => softCap(z / logitDivisor, logitCap)));
}

/** The residual stream of a row before the first block. */
export const referenceEmbedding = ({ config, tensors }: ReferenceModel, ids: readonly number[]): readonly Vector[] =>
  ids.map((id) => row(tensors.get('model.embed_tokens.weight')!, id).map((value) => config.embedFactor * value));

/** One block over a residual stream of one row: `x[position]` is a vector of `hidden`. */
export function referenceBlock(
  model: ReferenceModel,
  block: number,
  x: readonly Vector[],
  parts: { readonly attention: boolean; readonly ffn: boolean } = { attention: true, ffn: true },
): readonly Vector[] {
  let y = x;
  for (const part of ['attention', 'ffn'] as const) {
    if (parts[part]) y = addAll(y, referenceModule(model, block, part, y).added);
  }
  return y;
}

/** The Linear that gives a module's output, by name. */
export const lastLinear = (block: number, part: 'attention' | 'ffn'): string =>
  `model.layers.${block}.${part === 'attention' ? 'self_attn.o_proj' : 'mlp.down_proj'}`;

/**
 * One module with its norms over a residual stream of one row: what its first and its last Linears read at each position, and what the
 * module adds to the stream.
 */
export function referenceModule(
  model: ReferenceModel,
  block: number,
  part: 'attention' | 'ffn',
  x: readonly Vector[],
): { readonly normed: readonly Vector[]; readonly input: readonly Vector[]; readonly added: readonly Vector[] } {
  const { before, after } = model.config.norms[part];
  const { residualFactor } = model.config;
  const norm = (name: string | undefined, vectors: readonly Vector[]): readonly Vector[] =>
    name === undefined ? vectors : rmsNorm(model, `model.layers.${block}.${name}`, vectors);
  const normed = norm(before, x);
  const input =
    part === 'attention' ? attention(model, block, normed) : gatedFfn(model, `model.layers.${block}.mlp`, normed);
  const output = norm(after, linear(model, lastLinear(block, part), input));
  return { normed, input, added: output.map((v) => mapped(v, (y) => residualFactor * y)) };
}

/** Causal softmax attention with grouped key-value heads, within the block's window: the heads side by side. */
function attention(model: ReferenceModel, block: number, x: readonly Vector[]): Vector[] {
  const { scoreFactor, scoreCap, layers } = model.config;
  const { heads, kvHeads, headDim, window, rotation } = layers[block];
  const at = `model.layers.${block}.self_attn`;
  const turn = rotation?.(x.length);
  const angles = turn && x.map((_, position) => anglesAt(turn, position));
  const [q, k, v] = queryKeyValue(model, block, x);
  const prepare = (name: 'q' | 'k', vectors: readonly Vector[], count: number): Vector[][] =>
    qkNorm(model, `${at}.${name}_norm`, vectors, count).map((parts, position) =>
      angles ? parts.map((head) => rotate(angles[position], head)) : parts,
    );
  const queries = prepare('q', q, heads);
  const keys = prepare('k', k, kvHeads);
  const values = v.map((all) => split(all, kvHeads));

  return x.map((_, position) => {
    const mixed = new Float64Array(heads * headDim);
    const first = Math.max(0, position - window + 1);
    for (let head = 0; head < heads; head++) {
      const shared = Math.floor(head / (heads / kvHeads)); // consecutive query heads share one key-value head
      const scores: number[] = [];
      for (let seen = first; seen <= position; seen++) {
        const score = dot(queries[position][head], keys[seen][shared]) * scoreFactor(headDim);
        scores.push(softCap(score, scoreCap));
      }
      softmax(scores).forEach((weight, i) => {
        const value = values[first + i][shared];
        for (let d = 0; d < headDim; d++) mixed[head * headDim + d] += weight * value[d];
      });
    }
    return mixed;
  });
}

/** All heads of q, of k and of v at each position. In a fused matrix they lie on top of each other. */
function queryKeyValue(model: ReferenceModel, block: number, x: readonly Vector[]): Vector[][] {
  const at = `model.layers.${block}.self_attn`;
  if (!model.config.fused) return ['q', 'k', 'v'].map((name) => linear(model, `${at}.${name}_proj`, x));
  const { heads, kvHeads, headDim } = model.config.layers[block];
  const all = linear(model, `${at}.qkv_proj`, x);
  const [q, k] = [heads * headDim, kvHeads * headDim];
  return [all.map((v) => v.subarray(0, q)), all.map((v) => v.subarray(q, q + k)), all.map((v) => v.subarray(q + k))];
}

/** act(gate(x)) ⊙ up(x) */
function gatedFfn(model: ReferenceModel, at: string, x: readonly Vector[]): Vector[] {
  const { fused, activation } = model.config;
  const act = activation === 'silu' ? silu : geluTanh;
  const pairs = fused
    ? linear(model, `${at}.gate_up_proj`, x).map((v) => split(v, 2))
    : besides(linear(model, `${at}.gate_proj`, x), linear(model, `${at}.up_proj`, x));
  return pairs.map(([gate, up]) => mapped(gate, (g, i) => act(g) * up[i]));
}

const besides = (a: readonly Vector[], b: readonly Vector[]): Vector[][] => a.map((v, t) => [v, b[t]]);

const silu = (a: number): number => a / (1 + Math.exp(-a));
const geluTanh = (a: number): number => (a / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (a + 0.044715 * a ** 3)));

/** c·tanh(z/c) */
const softCap = (z: number, cap: number): number => (cap === Infinity ? z : cap * Math.tanh(z / cap));

/** Cosines and sines of a position, times the rotation's magnitude. */
const anglesAt = (
  { frequencies, magnitude }: ReferenceRotation,
  position: number,
): { cos: number[]; sin: number[] } => ({
  cos: frequencies.map((frequency) => magnitude * Math.cos(position * frequency)),
  sin: frequencies.map((frequency) => magnitude * Math.sin(position * frequency)),
});

/** Rotates the pair (i, i + n) of the first 2 n entries by the angle i. The others stay. */
function rotate({ cos, sin }: { readonly cos: readonly number[]; readonly sin: readonly number[] }, v: Vector): Vector {
  const rotated = v.slice();
  for (let i = 0, j = cos.length; i < cos.length; i++, j++) {
    rotated[i] = v[i] * cos[i] - v[j] * sin[i];
    rotated[j] = v[j] * cos[i] + v[i] * sin[i];
  }
  return rotated;
}

/** The heads of q or k at each position, normalised if the model has such norms: each by itself, or all at once. */
function qkNorm(model: ReferenceModel, name: string, vectors: readonly Vector[], count: number): Vector[][] {
  if (!model.tensors.has(`${name}.weight`)) return vectors.map((v) => split(v, count));
  if (model.config.wideQkNorm) return rmsNorm(model, name, vectors).map((v) => split(v, count));
  return vectors.map((v) => rmsNorm(model, name, split(v, count)));
}

/** Every vector by itself. */
function rmsNorm({ config, tensors }: ReferenceModel, name: string, vectors: readonly Vector[]): Vector[] {
  const { eps, normOffset } = config;
  const weight = tensors.get(`${name}.weight`)!.values;
  return vectors.map((x) => {
    const scale = 1 / Math.sqrt(dot(x, x) / x.length + eps);
    return mapped(x, (value, i) => value * scale * (normOffset + weight[i]));
  });
}

/** W x + b at each position, with what an adapter adds; the bias may be missing. */
function linear({ tensors, adapters }: ReferenceModel, name: string, vectors: readonly Vector[]): Vector[] {
  const weight = tensors.get(`${name}.weight`)!;
  const bias = tensors.get(`${name}.bias`);
  const adapter = adapters?.get(name);
  return vectors.map((x, position) => {
    const y = product(weight, x, bias);
    if (!adapter) return y;
    const { a, b, factor, mask } = adapter;
    const added = product(b, product(a, mask ? mapped(x, (value, i) => value * mask[position][i]) : x));
    return mapped(y, (value, o) => value + factor * added[o]);
  });
}

/** W x + b; W is stored (out, in). Four sums at a time, each in the order of its terms: a sum alone waits for every addition. */
function product({ values: given, shape }: ReferenceTensor, x: Vector, bias?: ReferenceTensor): Vector {
  const values = widened(given);
  const [out, into] = shape;
  const y = new Float64Array(out);
  if (bias) y.set(bias.values);
  let o = 0;
  for (; o + 4 <= out; o += 4) {
    let [a, b, c, d] = [y[o], y[o + 1], y[o + 2], y[o + 3]];
    for (let i = 0, w = o * into; i < into; i++, w++) {
      const by = x[i];
      a += values[w] * by;
      b += values[w + into] * by;
      c += values[w + 2 * into] * by;
      d += values[w + 3 * into] * by;
    }
    y[o] = a;
    y[o + 1] = b;
    y[o + 2] = c;
    y[o + 3] = d;
  }
  for (; o < out; o++) for (let i = 0; i < into; i++) y[o] += values[o * into + i] * x[i];
  return y;
}

const wide = new WeakMap<Float32Array, Float64Array>();

/** Weights in float64, which are kept beside those of a file: the loop above is fast with numbers of one kind only. */
function widened(values: Float32Array | Float64Array): Float64Array {
  if (values instanceof Float64Array) return values;
  let found = wide.get(values);
  if (!found) wide.set(values, (found = Float64Array.from(values)));
  return found;
}

/** `x.map(f)`, which is many times slower in V8. */
function mapped(x: Vector, f: (value: number, index: number) => number): Vector {
  const y = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = f(x[i], i);
  return y;
}

/** Natural log of Σ exp, without overflow. */
export function logSumExp(x: Iterable<number>): number {
  let max = -Infinity;
  for (const value of x) max = Math.max(max, value);
  let sum = 0;
  for (const value of x) sum += Math.exp(value - max);
  return max + Math.log(sum);
}

function softmax(x: readonly number[]): number[] {
  const total = logSumExp(x);
  return x.map((value) => Math.exp(value - total));
}

export function dot(a: Vector, b: Vector): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

export const addAll = (a: readonly Vector[], b: readonly Vector[]): Vector[] =>
  a.map((v, t) => mapped(v, (y, i) => y + b[t][i]));

const row = ({ values, shape }: ReferenceTensor, index: number): Vector =>
  Float64Array.from(values.subarray(index * shape[1], (index + 1) * shape[1]));

const split = (v: Vector, count: number): Vector[] =>
  Array.from({ length: count }, (_, i) => v.subarray((i * v.length) / count, ((i + 1) * v.length) / count));
