/**
 * A block with experts in a forward pass: the mixer, the norm and the router in one session, then the experts in groups, each on
 * the tokens that chose it. Only one group's weights are in memory beside those of the first session, however many experts there
 * are, unless all of them fit. Runs that are given together share each group: it is opened once for all of them.
 */
import type { Architecture } from '../checkpoint/architecture';
import type { ExpertsFeedForward } from '../checkpoint/kinds/experts';
import { Graph } from '../onnx/graph';
import { add, scale } from '../onnx/ops/elementwise';
import { type Feeds, floats, type Session, type Tensor } from '../onnx/session';
import type { WeightSource } from '../weights/source';
import { sourceBinding } from './binding';
import { block, blockNorm } from './block';
import { addGroup, type ExpertWatch, groupsOf, openGroup, tokensOf, watchFrom } from './expert-groups';
import { dense } from './feed-forwards/dense';
import { routed } from './feed-forwards/experts';
import { type AttentionKind, stepStrategies } from './forward-graph';
import type { Model } from './model';
import type { Parts } from './parts';
import type { RunsTogether, StepSession } from './step-session';
import type { Step } from './view';

/** Whether a step computes experts. */
export const hasExperts = ({ layers }: Pick<Architecture, 'layers'>, { block, ffn }: Step): boolean =>
  ffn && layers[block].ffn.kind === 'experts';

/** Of (tokens, hidden) between router and experts: the stream, the input of the experts, and what they add. */
const ARRAYS = 3;
const FLOAT32 = 4;

/** One run between the router and the experts. */
interface Routed {
  /** The stream after the mixer, and after the FFN beside the experts, to which these are added. */
  readonly tensor: Tensor;
  readonly y: Float32Array;
  /** The input of the experts, (tokens, hidden). */
  readonly m: Float32Array;
  /** (tokens, experts) */
  readonly shares: Float32Array;
  readonly added: Float32Array;
}

/** Opens a step with experts over a source of weights. See `openOverFile`. */
export async function openExpertStep(
  model: Model,
  weights: WeightSource,
  step: Step,
  kind: AttentionKind,
): Promise<Required<StepSession>> {
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
  const route = async (feeds: Feeds, into?: Tensor): Promise<Routed> => {
    const tensors = await router.run(feeds, { h: into ?? null, m: null, shares: null });
    const tensor = into ?? tensors.h;
    const y = floats(tensor);
    return { tensor, y, m: floats(tensors.m), shares: floats(tensors.shares), added: new Float32Array(y.length) };
  };
  /** Adds a group to each of the runs. */
  const throughGroup = async (i: number, runs: readonly Routed[], watch?: ExpertWatch): Promise<void> => {
    const numbers = groups[i];
    let session: Session | undefined;
    try {
      let first = 0;
      for (const run of runs) {
        const from = first;
        first += run.y.length / hidden;
        const tokens = numbers.map((e) => tokensOf(e, run.shares, shape.count));
        if (tokens.every((each) => each.length === 0)) continue;
        session ??= await groupSession(i);
        await addGroup(
          session,
          { group: numbers, tokens, hidden, count: shape.count },
          run,
          run.added,
          watchFrom(watch, from),
        );
      }
    } finally {
      if (!keeps) await session?.close();
    }
  };
  const runTogether: RunsTogether['run'] = async (all, watch) => {
    const runs: Routed[] = [];
    for (const { feeds, into } of all) runs.push(await route(feeds, into));
    for (const i of groups.keys()) await throughGroup(i, runs, watch);
    for (const { y, added } of runs) for (let j = 0; j < y.length; j++) y[j] += style.residualScale * added[j];
    return runs.map(({ tensor }) => tensor);
  };
  return {
    run: async (feeds, into) => (await runTogether([{ feeds, into }]))[0],
    together: { tokens: keeps ? 0 : Math.floor(kept / (ARRAYS * FLOAT32 * hidden)), run: runTogether },
    close: async () => {
      await router.close();
      for (const session of open.values()) await session.close();
    },
  };
}

/** Feeds of a step; fetches "h", the stream after the mixer and the FFN beside the experts, "m", the input of the experts, and "shares" (tokens, experts). */
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
  const norm: Parts['norm'] = (input, name) => blockNorm(g, input, architecture, name, strategies);
  const beside = shape.shared && dense(g, m, shape.shared, { ...strategies, architecture, norm });
  g.output('h', beside ? add(g, h, scale(g, beside, architecture.style.residualScale)) : h);
  g.output('m', m);
  g.output('shares', routed(g, m, shape, strategies));
  return model.openSession(g.serialize(), { prepack: true });
}
