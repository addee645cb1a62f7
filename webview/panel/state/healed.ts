/** Perplexities of healed models: of files of new weights that runs have measured, and of checkpoints that were written. */
import type { PanelChild, PanelRun, PanelState, PanelText, RetrainedDigest } from '../../../src/protocol/panel';
import { isFloat32 } from '../../../src/format/arithmetic';
import { rowsOf, rowsOfPanel } from './rows';

/** The healed checkpoints that were written, with their perplexities on the panel's rows. */
export function healedChildren(children: readonly PanelChild[], panel: PanelText | null): RetrainedDigest[] {
  if (!panel) return [];
  const { rowsKey, name: text } = panel;
  return children.flatMap(({ name, removed, ppl, healed, compared }): RetrainedDigest[] => {
    if (!healed || ppl === null) return [];
    return [{ label: name, healed, removed, ppl, ...compared, text, ...(rowsKey !== undefined && { rowsKey }) }];
  });
}

/** The newest healed model without exactly these blocks, measured on the panel's rows in float32; a written one before others. */
export function healedWithout(
  removed: readonly number[],
  runs: readonly PanelRun[],
  children: readonly PanelChild[],
  panel: PanelText | null,
): RetrainedDigest | undefined {
  const exact = runs.filter(({ digest }) => isFloat32(digest.precision));
  const measured = [...healedChildren(children, panel), ...exact.flatMap(({ digest }) => digest.retrained ?? [])];
  const rows = rowsOfPanel(panel);
  return measured.find((each) => each.healed && each.removed.join() === removed.join() && rowsOf(each) === rows);
}

export interface HealedPlan {
  /** The plan with healing, on the panel's text. */
  readonly found: RetrainedDigest | undefined;
  readonly isHealing: boolean;
  /** A run has tried, and the plain weights were better. */
  readonly isVain: boolean;
  /** Whether healing the plan to measure it would tell something new. */
  readonly isOpen: boolean;
}

/** What is known of the plan with healing. The runs are those of this model. */
export function healedPlan({
  plan: { removed },
  text,
  runs,
  kin,
  jobs,
}: Pick<PanelState, 'plan' | 'text' | 'runs' | 'kin' | 'jobs'>): HealedPlan {
  const isPlan = removed.length > 0;
  const found = isPlan ? healedWithout(removed, runs, kin.children, text) : undefined;
  const isHealing = isPlan && jobs.some(({ kind }) => kind === 'heal');
  const isVain =
    isPlan &&
    !found &&
    runs.some(({ digest: { heal } }) => heal?.weights === 'plain' && heal.removed.join() === removed.join());
  return { found, isHealing, isVain, isOpen: isPlan && !found && !isHealing && !isVain };
}
