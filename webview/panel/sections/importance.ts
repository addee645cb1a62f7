/** The importance chart with its criterion, and what to do where nothing is scored yet. */
import type { PanelPlan, PanelRun, PanelState, PanelText, ScoreDigest } from '../../../src/protocol/panel';
import type { Child } from '../../support/dom';
import { button, checkbox, dropdown, setTicked } from '../../support/ui';
import { drawImportance } from '../charts/importance';
import { ChartFrame } from '../charts/frame';
import { blockList, numeric, short } from '../numbers';
import { rowsLabel, rowsOfPanel } from '../state/rows';
import { type Context, type Section, startButton, whenChanged } from './section';
import { seriesStyleOf, nameInText } from '../charts/series';
import { inOrder, ownRuns, shownNote } from '../state/shown-runs';

/** The newest scoring of the whole model by each criterion, as single blocks are scored; or the one that was chosen. */
export function scoresOf(runs: readonly PanelRun[], shown: readonly string[] = []): readonly ScoreDigest[] {
  const newest = new Map<string, ScoreDigest>();
  for (const { id, digest } of inOrder(runs, shown)) {
    const { score, removed, adapter } = digest;
    if (!score || score.blocks.length === 0) continue;
    if ((removed.length > 0 || adapter !== undefined) && !shown.includes(id)) continue;
    if (!newest.has(score.criterion)) newest.set(score.criterion, score);
  }
  return [...newest.values()];
}

export function importanceSection(context: Context): Section {
  const frame = new ChartFrame('importance', 'Which blocks matter', context);
  const criterion = dropdown('Criterion', (value) => context.setView({ criterion: value }));
  const range = checkbox('Whole range', context.view().wholeRange, (wholeRange) => context.setView({ wholeRange }));
  const draw = whenChanged(
    (
      runs: PanelState['runs'],
      plan: PanelPlan,
      blocks: number,
      wanted: string,
      whole: boolean,
      shown: readonly string[],
      text: PanelText | null,
      trusted: boolean,
    ) => {
      const all = scoresOf(runs, shown);
      if (all.length === 0) {
        frame.setTools();
        frame.showEmpty(
          'No block has a score yet. Scoring leaves out one block after the other and measures how much worse the model predicts a text.',
          startButton(trusted, 'Score the Blocks…', () => context.send({ type: 'start', action: 'score' }), {
            appearance: 'primary',
          }),
        );
        return;
      }
      const score = all.find((each) => each.criterion === wanted) ?? all[0];
      criterion.show(
        all.map((each) => ({ value: each.criterion, label: seriesStyleOf(each.criterion).name })),
        score.criterion,
      );
      frame.setTools(range, ...(all.length > 1 ? [criterion.element] : []));
      setTicked(range, whole);
      frame.setNote(...shownNote(runs, shown, 'importance', context), ...otherRows(score, text, context));
      const data = { score, all, plan, blocks, whole };
      frame.show(summaryOf(score, plan, context.still), (width) =>
        drawImportance(data, width, frame, (block) => context.send({ type: 'plan/toggle', block })),
      );
    },
  );
  return {
    element: frame.element,
    update: ({ runs, plan, model, text, trusted }, view) =>
      draw(ownRuns(runs), plan, model.blocks, view.criterion, view.wholeRange, view.shown, text, trusted),
  };
}

/** Says that the scores are of another text than the panel's perplexities, and how to put them on one. */
function otherRows({ rowsKey, text: name }: ScoreDigest, text: PanelText | null, { send }: Context): Child[] {
  if (!text || rowsKey === undefined || name === undefined || rowsKey === rowsOfPanel(text)) return [];
  return [
    `⚠ Scored on ${rowsLabel({ rowsKey, text: name })}, not on the panel’s text: its perplexities are not those above. `,
    button('Measure on This Text', () => send({ type: 'text/use', rowsKey })),
  ];
}

/** What the chart says, in a sentence. */
function summaryOf({ blocks, full, criterion }: ScoreDigest, plan: PanelPlan, still = false): string {
  const sorted = [...blocks].sort((a, b) => numeric(a.score) - numeric(b.score));
  const [least, most] = [sorted[0], sorted.at(-1)!];
  // In the panel the head says what the plan removes; here it would move the bars under the pointer.
  const removes = plan.removed.length > 0 ? ` The plan removes ${blockList(plan.removed)}.` : '';
  const going = still ? removes : ' Click a bar to remove or keep its block.';
  if (full === undefined)
    return `By ${nameInText(criterion)}, block ${least.index} matters least and block ${most.index} most.${going}`;
  return (
    `The whole model has a perplexity of ${short(numeric(full))}. Without block ${least.index}, the least important, it is ` +
    `${short(numeric(least.score))}; without block ${most.index} it is ${short(numeric(most.score))}.${going}`
  );
}
