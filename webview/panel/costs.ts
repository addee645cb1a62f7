/** What models cost, as far as runs have measured it: one row a model, under the name that the panel gives it. Pure. */
import type { CostDigest, PanelModel, PanelPlan, PanelRun } from '../../src/protocol/panel';
import { blockList } from './numbers';

type Figures = Omit<CostDigest, 'label'>;

export interface Cost extends CostDigest {
  /**
   * The original; the plan as it is; a plan of before, which nothing but its measurements is left of; or a model or adapter
   * that was made.
   */
  readonly kind: 'original' | 'plan' | 'earlier' | 'made';
  /** An adapter lies beside the parameters that are counted, and has some of its own. */
  readonly adapter?: true;
}

const NOTHING: Figures = {
  ...{ parameters: null, bytes: null, prefillTokensPerSecond: null },
  ...{ decodeTokensPerSecond: null, peakRssBytes: null },
};

/**
 * The original, the plan, and every model that a run has figures of.
 * @param runs newest first: of each figure the newest counts
 * @param plan undefined where nothing is planned
 */
export function costsOf(model: PanelModel, plan: PanelPlan | undefined, runs: readonly PanelRun[]): Cost[] {
  const found = new Map<string, CostDigest>();
  const add = (label: string, figures: Figures): void => {
    const known = found.get(label) ?? { label, ...NOTHING };
    found.set(label, {
      label,
      parameters: known.parameters ?? figures.parameters,
      bytes: known.bytes ?? figures.bytes,
      prefillTokensPerSecond: known.prefillTokensPerSecond ?? figures.prefillTokensPerSecond,
      decodeTokensPerSecond: known.decodeTokensPerSecond ?? figures.decodeTokensPerSecond,
      peakRssBytes: known.peakRssBytes ?? figures.peakRssBytes,
    });
  };
  add(model.name, { ...NOTHING, parameters: model.parameters, bytes: model.bytes });
  const planned = plan && plan.removed.length > 0 ? `Without ${blockList(plan.removed)}` : undefined;
  if (plan && planned !== undefined) add(planned, { ...NOTHING, parameters: plan.parameters, bytes: plan.bytes });
  for (const run of runs) for (const cost of run.digest.cost ?? []) add(labelOf(run, cost, model.name), cost);
  const adapters = new Set<string>();
  for (const { digest } of runs) {
    const { training, removed } = digest;
    const whole = removed.filter((block) => typeof block === 'number').length;
    if (training?.output === undefined || whole === 0) continue;
    // The blocks that are left. What an adapter adds (of SmolLM2-135M, at rank 8 on all seven linears, about 1.8 % of
    // them) no digest tells; merged it adds nothing.
    add(training.output, { ...NOTHING, parameters: model.parameters - whole * model.parametersPerBlock });
    if (digest.settings.some(([name]) => name === 'rank')) adapters.add(training.output);
  }
  const kindOf = (label: string): Cost['kind'] => {
    if (label === model.name) return 'original';
    if (label === planned) return 'plan';
    return label.startsWith('Without ') ? 'earlier' : 'made';
  };
  return [...found.values()].map((cost) => ({
    ...cost,
    kind: kindOf(cost.label),
    ...(adapters.has(cost.label) && { adapter: true }),
  }));
}

/** A measurement names its model, and what it leaves out and puts on top beside it. */
function labelOf({ digest: { kind, removed, adapter } }: PanelRun, { label }: CostDigest, name: string): string {
  if (label === 'Original') return name;
  if (kind !== 'bench') return label;
  if (adapter !== undefined) return adapter;
  const blocks = removed.filter((block) => typeof block === 'number');
  if (removed.length === 0) return label;
  return blocks.length === removed.length ? `Without ${blockList(blocks)}` : `Without ${removed.join(', ')}`;
}
