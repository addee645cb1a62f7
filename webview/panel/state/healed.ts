/** Perplexities of healed models: of files of new weights that runs have measured, and of checkpoints that were written. */
import type { PanelChild, PanelRun, PanelText, RetrainedDigest } from '../../../src/protocol/panel';
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
