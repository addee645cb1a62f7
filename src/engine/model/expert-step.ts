/**
 * A block with experts in a forward pass: the mixer, the norm and the router in one session, then the experts in groups, each on
 * the tokens that chose it. Only one group's weights are in memory beside those of the first session, however many experts there
 * are, unless all of them fit.
 */
import type { Architecture } from '../checkpoint/architecture';
import { expertLinear, type ExpertsFeedForward } from '../checkpoint/kinds/experts';
import { elements } from '../checkpoint/parameters';
import { weightOf } from '../checkpoint/weight-key';
import { Graph } from '../onnx/graph';
import { type Feeds, float32, floats, type Session, type Tensor } from '../onnx/session';
import type { WeightSource } from '../weights/source';
import { sourceBinding } from './binding';
import { block, blockNorm } from './block';
import { expert, routed } from './feed-forwards/experts';
import { type AttentionKind, stepStrategies } from './forward-graph';
import type { Model } from './model';
import type { StepSession } from './step-session';
import type { Step } from './view';

/** Whether a step computes experts. */
export const hasExperts = ({ layers }: Pick<Architecture, 'layers'>, { block, ffn }: Step): boolean =>
  ffn && layers[block].ffn.kind === 'experts';

/** Opens a step with experts over a source of weights. See `openOverFile`. */
export async function openExpertStep(
  model: Model,
  weights: WeightSource,
  step: Step,
  kind: AttentionKind,
): Promise<StepSession> {
  const { architecture } = weights;
  const { hidden, style } = architecture;
  const { group, kept } = model.experts;
  const shape = architecture.layers[step.block].ffn as ExpertsFeedForward;
  if (style.norms !== 'before') throw new Error('no family has experts and a norm behind them');
  const router = await openRouter(model, weights, step, kind, shape);
  const groups = groupsOf(architecture, step.block, shape, group);
  const keeps = groups.length * group <= kept || groups.length === 1;
  const open = new Map<number, Session>();
  const groupSession = async (i: number): Promise<Session> => {
    const session = open.get(i) ?? (await openGroup(model, weights, step.block, groups[i]));
    if (keeps) open.set(i, session);
    return session;
  };
  return {
    run: async (feeds, into) => {
      const tensors = await router.run(feeds, { h: into ?? null, m: null, shares: null });
      const y = into ?? tensors.h;
      const stream = { y: floats(y), m: floats(tensors.m), shares: floats(tensors.shares) };
      const added = new Float32Array(stream.y.length);
      for (const [i, numbers] of groups.entries()) {
        const tokens = numbers.map((e) => tokensOf(e, stream.shares, shape.count));
        if (tokens.every((each) => each.length === 0)) continue;
        const session = await groupSession(i);
        try {
          await addGroup(session, { group: numbers, tokens, hidden, count: shape.count }, stream, added);
        } finally {
          if (!keeps) await session.close();
        }
      }
      for (let j = 0; j < added.length; j++) stream.y[j] += style.residualScale * added[j];
      return y;
    },
    close: async () => {
      await router.close();
      for (const session of open.values()) await session.close();
    },
  };
}

/** Feeds of a step; fetches "h", the stream after the mixer, "m", the input of the experts, and "shares" (tokens, experts). */
function openRouter(
  model: Model,
  weights: WeightSource,
  step: Step,
  kind: AttentionKind,
  shape: ExpertsFeedForward,
): Promise<Session> {
  const { architecture } = weights;
  const g = new Graph();
  const x = g.input('x', 'float32', ['tokens', architecture.hidden]);
  const strategies = stepStrategies(g, architecture, step, kind, sourceBinding(g, weights));
  const h = block(g, x, architecture, { ...step, ffn: false }, strategies);
  const m = blockNorm(g, h, architecture, 'postNorm', strategies);
  g.output('h', h);
  g.output('m', m);
  g.output('shares', routed(g, m, shape, strategies));
  return model.openSession(g.serialize(), { prepack: true });
}

/** Experts in their order, as many at a time as have room in `memory` bytes; at least one. */
function groupsOf(
  architecture: Architecture,
  layer: number,
  { count }: ExpertsFeedForward,
  memory: number,
): number[][] {
  const matrix = (name: 'gate' | 'up' | 'down'): number =>
    elements(weightOf(architecture, { layer, name: expertLinear(0, name) })!.shape);
  const bytes = 4 * (matrix('gate') + matrix('up') + matrix('down'));
  const size = Math.max(1, Math.floor(memory / bytes));
  const all = Array.from({ length: count }, (_, e) => e);
  return Array.from({ length: Math.ceil(count / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
}

/** Feeds "x7" (tokens, hidden) for expert 7 and so on, fetches "y7" in the same shape. */
function openGroup(model: Model, weights: WeightSource, layer: number, group: readonly number[]): Promise<Session> {
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
function tokensOf(index: number, shares: Float32Array, count: number): number[] {
  const tokens: number[] = [];
  for (let at = index, token = 0; at < shares.length; at += count, token++) if (shares[at] > 0) tokens.push(token);
  return tokens;
}

interface Group {
  readonly group: readonly number[];
  /** Of each expert. */
  readonly tokens: readonly (readonly number[])[];
  readonly hidden: number;
  readonly count: number;
}

/** Adds what a group's experts give, expert after expert. */
async function addGroup(
  session: Session,
  { group, tokens, hidden, count }: Group,
  { m, shares }: { readonly m: Float32Array; readonly shares: Float32Array },
  added: Float32Array,
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
      for (let j = 0; j < hidden; j++) added[token * hidden + j] += share * values[at * hidden + j];
    }
  }
}
