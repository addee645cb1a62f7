/** Size and speed of models as runs have measured them: one row for each model, by its name in the panel. Pure. */
import type { CostDigest, PanelModel, PanelPlan, PanelRun } from '../../../src/protocol/panel';
import { namedIn } from '../state/precisions';
import { runKind } from '../state/run-kinds';
import { isPlanLabel, ORIGINAL, withoutLabel } from '../state/model-labels';

type Sizes = Pick<CostDigest, 'parameters' | 'bytes' | 'peakRssBytes'>;
type Speeds = Omit<CostDigest, keyof Sizes | 'label' | 'of' | 'speed'>;

export interface Cost extends Sizes, Speeds {
  readonly label: string;
  /** The checkpoint, the current plan, an earlier plan of which only measurements are left, or a derived model or adapter. */
  readonly kind: 'original' | 'plan' | 'earlier' | 'made';
  /** The model has an adapter, whose parameters are not counted. */
  readonly adapter?: true;
  /** How its speeds were measured; undefined without speeds. Only those of the newest run in turns can be compared. */
  readonly speed?: 'turns' | 'alone' | 'writing';
}

const NO_SIZES: Sizes = { parameters: null, bytes: null, peakRssBytes: null };
const NO_SPEEDS: Speeds = { prefillTokensPerSecond: null, decodeTokensPerSecond: null };
/** Ways to measure, the best first. */
const WAYS = ['turns', 'alone', 'writing'] as const;

/**
 * Lists the checkpoint, the plan, and every model that a run has measured.
 * @param runs newest first. The newest size counts, and the newest speed of the best way to measure.
 * @param plan undefined in a report
 */
export function costsOf(model: PanelModel, plan: PanelPlan | undefined, runs: readonly PanelRun[]): Cost[] {
  const found = new Map<string, Sizes & { readonly of: string }>();
  const add = (of: string, figures: Sizes, precision?: string | null): void => {
    const label = namedIn(of, precision);
    const known = found.get(label) ?? NO_SIZES;
    found.set(label, {
      of,
      parameters: known.parameters ?? figures.parameters,
      bytes: known.bytes ?? figures.bytes,
      peakRssBytes: known.peakRssBytes ?? figures.peakRssBytes,
    });
  };
  add(model.name, { ...NO_SIZES, parameters: model.parameters, bytes: model.bytes });
  const planned = plan && plan.removed.length > 0 ? withoutLabel(plan.removed) : undefined;
  if (plan && planned !== undefined) add(planned, { ...NO_SIZES, parameters: plan.parameters, bytes: plan.bytes });
  for (const run of runs)
    for (const cost of run.digest.cost ?? []) add(labelOf(run, cost, model.name), cost, precisionOf(run, cost));
  const speeds = speedsOf(runs, model.name);
  const adapters = new Set<string>();
  for (const { digest } of runs) {
    const { training, removed } = digest;
    const whole = removed.filter((block) => typeof block === 'number').length;
    if (training?.output === undefined || whole === 0) continue;
    // The parameters of the remaining blocks. No digest has those of the adapter (about 1.8 % for SmolLM2-135M-Instruct at rank 8
    // on all seven linears). A merged adapter adds none.
    add(training.output, { ...NO_SIZES, parameters: model.parameters - whole * model.parametersPerBlock });
    if (digest.settings.some(([name]) => name === 'rank')) adapters.add(training.output);
  }
  const kindOf = (label: string): Cost['kind'] => {
    if (label === model.name) return 'original';
    if (label === planned) return 'plan';
    return isPlanLabel(label) ? 'earlier' : 'made';
  };
  return [...found].map(([label, { of, ...sizes }]) => ({
    label,
    ...sizes,
    ...NO_SPEEDS,
    ...speeds.get(label),
    kind: kindOf(of),
    ...(adapters.has(of) && { adapter: true }),
  }));
}

/** Speeds by label. Speeds of older runs in turns count as measured alone. */
function speedsOf(runs: readonly PanelRun[], name: string): Map<string, Speeds & Pick<Cost, 'speed'>> {
  const inTurns = ({ digest }: PanelRun): boolean => digest.cost?.some(({ speed }) => speed === 'turns') ?? false;
  const newest = runs.find(inTurns);
  const all = runs.flatMap((run) =>
    (run.digest.cost ?? []).map((cost) => {
      const { prefillTokensPerSecond, decodeTokensPerSecond, prefillRange, decodeRange } = cost;
      const speed = cost.speed === 'turns' && run !== newest ? 'alone' : cost.speed;
      const ranges = { ...(prefillRange && { prefillRange }), ...(decodeRange && { decodeRange }) };
      const label = namedIn(labelOf(run, cost, name), precisionOf(run, cost));
      return { label, prefillTokensPerSecond, decodeTokensPerSecond, ...ranges, speed };
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

/** What the speeds of a measured model were computed in. */
export const precisionOf = ({ digest }: PanelRun, { precision }: CostDigest): string | null | undefined =>
  precision ?? digest.precision;

/** The label of a measured model, with the blocks that it lacks or its adapter. */
function labelOf({ digest: { kind, removed, adapter } }: PanelRun, { label, speed }: CostDigest, name: string): string {
  if (label === ORIGINAL) return name;
  if (!runKind(kind).ofOne || speed === 'turns') return label; // the label is complete
  if (adapter !== undefined) return adapter;
  const blocks = removed.filter((block) => typeof block === 'number');
  if (removed.length === 0) return label;
  return withoutLabel(blocks.length === removed.length ? blocks : removed.join(', '));
}
