/** Experts of a block in groups: their sessions, and what they give to the tokens that chose them. */
import type { Architecture } from '../checkpoint/architecture';
import type { ExpertsFeedForward } from '../checkpoint/kinds/experts';
import { Graph } from '../onnx/graph';
import { type Feeds, float32, floats, type Session, type Tensor } from '../onnx/session';
import type { WeightSource } from '../weights/source';
import { sourceBinding } from './binding';
import { expertBytes } from './expert-memory';
import { expert } from './feed-forwards/experts';
import { stepStrategies } from './forward-graph';
import type { Model } from './model';

/**
 * Called once for each expert of a token.
 * @param norm of the expert's own output, before its weight; L2 over the hidden size
 * @param token its number among all tokens that pass the block
 * @param output the expert's own, (hidden); it is valid during the call
 */
export type ExpertWatch = (expert: number, share: number, norm: number, token: number, output: Float32Array) => void;

/** A watch whose tokens are numbered on from others. */
export const watchFrom = (watch: ExpertWatch | undefined, first: number): ExpertWatch | undefined =>
  watch && ((expert, share, norm, token, output) => watch(expert, share, norm, first + token, output));

/** Experts in their order, as many at a time as have room in `memory` bytes; at least one. */
export function groupsOf(
  architecture: Architecture,
  layer: number,
  { count }: ExpertsFeedForward,
  memory: number,
): number[][] {
  const size = Math.max(1, Math.floor(memory / expertBytes(architecture, layer)));
  const all = Array.from({ length: count }, (_, e) => e);
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** Feeds "x7" (tokens, hidden) for expert 7 and so on, fetches "y7" in the same shape. */
export function openGroup(
  model: Model,
  weights: WeightSource,
  layer: number,
  group: readonly number[],
): Promise<Session> {
  const { architecture } = weights;
  const g = new Graph();
  const shape = architecture.layers[layer].ffn as ExpertsFeedForward;
  const step = { block: layer, attention: false, ffn: true };
  const strategies = stepStrategies(g, architecture, step, 'plain', sourceBinding(g, weights));
  for (const e of group) {
    const x = g.input(`x${e}`, 'float32', [`tokens${e}`, architecture.hidden]);
    g.output(`y${e}`, expert(g, x, e, shape, strategies));
  }
  return model.openSession(g.serialize(), { prepack: true });
}

/** The tokens that chose an expert, ascending. */
export function tokensOf(index: number, shares: Float32Array, count: number): number[] {
  const tokens: number[] = [];
  for (let at = index, token = 0; at < shares.length; at += count, token++) if (shares[at] > 0) tokens.push(token);
  return tokens;
}

export interface Group {
  readonly group: readonly number[];
  /** Of each expert. */
  readonly tokens: readonly (readonly number[])[];
  readonly hidden: number;
  readonly count: number;
}

/** Adds what a group's experts give, expert after expert. */
export async function addGroup(
  session: Session,
  { group, tokens, hidden, count }: Group,
  { m, shares }: { readonly m: Float32Array; readonly shares: Float32Array },
  added: Float32Array,
  watch?: ExpertWatch,
): Promise<void> {
  const feeds: Record<string, Tensor> = {};
  const fetches: Record<string, null> = {};
  for (const [i, e] of group.entries()) {
    // An expert without tokens gets one row of zeros, whose result is not read.
    const rows = new Float32Array(Math.max(1, tokens[i].length) * hidden);
    for (const [at, token] of tokens[i].entries())
      rows.set(m.subarray(token * hidden, (token + 1) * hidden), at * hidden);
    feeds[`x${e}`] = float32(rows, [rows.length / hidden, hidden]);
    fetches[`y${e}`] = null;
  }
  const results = await session.run(feeds satisfies Feeds, fetches);
  for (const [i, e] of group.entries()) {
    const values = floats(results[`y${e}`]);
    for (const [at, token] of tokens[i].entries()) {
      const share = shares[token * count + e];
      const output = values.subarray(at * hidden, (at + 1) * hidden);
      for (let j = 0; j < hidden; j++) added[token * hidden + j] += share * output[j];
      watch?.(e, share, normOf(output), token, output);
    }
  }
}

/** L2 norm, in float64. */
function normOf(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}
