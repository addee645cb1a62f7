/** What models cost, as far as runs have measured it: one row a model, under the name that the panel gives it. Pure. */
import type { CostDigest, PanelModel, PanelPlan, PanelRun } from '../../../src/protocol/panel';
import { blockList } from '../numbers';

type Sizes = Pick<CostDigest, 'parameters' | 'bytes' | 'peakRssBytes'>;
type Speeds = Omit<CostDigest, keyof Sizes | 'label' | 'of' | 'speed'>;

export interface Cost extends Sizes, Speeds {
  readonly label: string;
  /**
   * The original; the plan as it is; a plan of before, which nothing but its measurements is left of; or a model or adapter
   * that was made.
   */
  readonly kind: 'original' | 'plan' | 'earlier' | 'made';
  /** An adapter lies beside the parameters that are counted, and has some of its own. */
  readonly adapter?: true;
  /** How its speeds were measured: only those of the newest run in turns can be compared. Undefined where it has none. */
  readonly speed?: 'turns' | 'alone' | 'writing';
}

const NO_SIZES: Sizes = { parameters: null, bytes: null, peakRssBytes: null };
const NO_SPEEDS: Speeds = { prefillTokensPerSecond: null, decodeTokensPerSecond: null };
/** The better measurement first. */
const WAYS = ['turns', 'alone', 'writing'] as const;

/**
 * The original, the plan, and every model that a run has figures of.
 * @param runs newest first: of each size the newest counts, of speeds the newest of those that were measured best
 * @param plan undefined where nothing is planned
 */
export function costsOf(model: PanelModel, plan: PanelPlan | undefined, runs: readonly PanelRun[]): Cost[] {
  const found = new Map<string, Sizes>();
  const add = (label: string, figures: Sizes): void => {
    const known = found.get(label) ?? NO_SIZES;
    found.set(label, {
      parameters: known.parameters ?? figures.parameters,
      bytes: known.bytes ?? figures.bytes,
      peakRssBytes: known.peakRssBytes ?? figures.peakRssBytes,
    });
  };
  add(model.name, { ...NO_SIZES, parameters: model.parameters, bytes: model.bytes });
  const planned = plan && plan.removed.length > 0 ? `Without ${blockList(plan.removed)}` : undefined;
  if (plan && planned !== undefined) add(planned, { ...NO_SIZES, parameters: plan.parameters, bytes: plan.bytes });
  for (const run of runs) for (const cost of run.digest.cost ?? []) add(labelOf(run, cost, model.name), cost);
  const speeds = speedsOf(runs, model.name);
  const adapters = new Set<string>();
  for (const { digest } of runs) {
    const { training, removed } = digest;
    const whole = removed.filter((block) => typeof block === 'number').length;
    if (training?.output === undefined || whole === 0) continue;
    // The blocks that are left. What an adapter adds (of SmolLM2-135M, at rank 8 on all seven linears, about 1.8 % of
    // them) no digest tells; merged it adds nothing.
    add(training.output, { ...NO_SIZES, parameters: model.parameters - whole * model.parametersPerBlock });
    if (digest.settings.some(([name]) => name === 'rank')) adapters.add(training.output);
  }
  const kindOf = (label: string): Cost['kind'] => {
    if (label === model.name) return 'original';
    if (label === planned) return 'plan';
    return label.startsWith('Without ') ? 'earlier' : 'made';
  };
  return [...found].map(([label, sizes]) => ({
    ...{ label, ...sizes, ...NO_SPEEDS, ...speeds.get(label), kind: kindOf(label) },
    ...(adapters.has(label) && { adapter: true }),
  }));
}

/** By label. What was measured in turns before the newest such run is as good as measured alone. */
function speedsOf(runs: readonly PanelRun[], name: string): Map<string, Speeds & Pick<Cost, 'speed'>> {
  const inTurns = ({ digest }: PanelRun): boolean => digest.cost?.some(({ speed }) => speed === 'turns') ?? false;
  const newest = runs.find(inTurns);
  const all = runs.flatMap((run) =>
    (run.digest.cost ?? []).map((cost) => {
      const { prefillTokensPerSecond, decodeTokensPerSecond, prefillRange, decodeRange } = cost;
      const speed = cost.speed === 'turns' && run !== newest ? 'alone' : cost.speed;
      const ranges = { ...(prefillRange && { prefillRange }), ...(decodeRange && { decodeRange }) };
      return { label: labelOf(run, cost, name), prefillTokensPerSecond, decodeTokensPerSecond, ...ranges, speed };
    }),
  );
  const found = new Map<string, Speeds & Pick<Cost, 'speed'>>();
  for (const way of WAYS) {
    for (const { label, ...speeds } of all) {
      const isKnown = speeds.prefillTokensPerSecond !== null || speeds.decodeTokensPerSecond !== null;
      if (speeds.speed === way && isKnown && !found.has(label)) found.set(label, speeds);
    }
  }
  return found;
}

/** A measurement names its model, and what it leaves out and puts on top beside it. */
function labelOf({ digest: { kind, removed, adapter } }: PanelRun, { label, speed }: CostDigest, name: string): string {
  if (label === 'Original') return name;
  if (kind !== 'bench' || speed === 'turns') return label; // the label says it all
  if (adapter !== undefined) return adapter;
  const blocks = removed.filter((block) => typeof block === 'number');
  if (removed.length === 0) return label;
  return blocks.length === removed.length ? `Without ${blockList(blocks)}` : `Without ${removed.join(', ')}`;
}
