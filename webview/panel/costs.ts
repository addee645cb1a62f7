/** What models cost, as far as runs have measured it: one row a model, under the name that the panel gives it. Pure. */
import type { CostDigest, PanelModel, PanelPlan, PanelRun } from '../../src/protocol/panel';
import { blockList } from './numbers';

type Figures = Omit<CostDigest, 'label'>;

const NOTHING: Figures = {
  ...{ parameters: null, bytes: null, prefillTokensPerSecond: null },
  ...{ decodeTokensPerSecond: null, peakRssBytes: null },
};

/**
 * The original, the plan, and every model that a run has figures of.
 * @param runs newest first: of each figure the newest counts
 * @param plan undefined where nothing is planned
 */
export function costsOf(model: PanelModel, plan: PanelPlan | undefined, runs: readonly PanelRun[]): CostDigest[] {
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
  if (plan && plan.removed.length > 0)
    add(`Without ${blockList(plan.removed)}`, { ...NOTHING, parameters: plan.parameters, bytes: plan.bytes });
  for (const run of runs) for (const cost of run.digest.cost ?? []) add(labelOf(run, cost, model.name), cost);
  for (const { digest } of runs) {
    const { training, removed } = digest;
    const whole = removed.filter((block) => typeof block === 'number').length;
    // Merged, it has as many as the blocks that are left; what an adapter adds on top is below a hundredth of them.
    if (training?.output !== undefined && whole > 0)
      add(training.output, { ...NOTHING, parameters: model.parameters - whole * model.parametersPerBlock });
  }
  return [...found.values()];
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
