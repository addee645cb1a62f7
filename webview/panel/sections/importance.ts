/** The importance chart with its criterion. Without scores it shows how to get some. */
import type { PanelPlan, PanelRun, PanelState, PanelText, ScoreDigest } from '../../../src/protocol/panel';
import type { Child } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, checkbox, dropdown, setTicked } from '../../support/ui';
import { drawImportance } from '../charts/importance';
import { ChartFrame } from '../charts/frame';
import { isFloat32 } from '../../../src/format/arithmetic';
import { shortNumber } from '../../../src/format/numbers';
import { precisionText } from '../state/precisions';
import { blockList, numeric } from '../numbers';
import { rowsLabel, rowsOfPanel } from '../state/rows';
import { type Context, type Section, whenChanged } from './section';
import { seriesStyleOf, nameInText } from '../charts/series';
import { inOrder, ownRuns, shownNote } from '../state/shown-runs';

/** The newest scores of the whole model by each criterion, or the ones that the user chose. */
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

/** The newest removals by each criterion that removes in turn, from the whole model. */
function sequencesOf(runs: readonly PanelRun[], shown: readonly string[]): readonly ScoreDigest[] {
  const newest = new Map<string, ScoreDigest>();
  for (const { digest } of inOrder(runs, shown)) {
    const { score, removed, adapter } = digest;
    if (!score?.removals || removed.length > 0 || adapter !== undefined) continue;
    if (!newest.has(score.criterion)) newest.set(score.criterion, score);
  }
  return [...newest.values()];
}

export function importanceSection(context: Context): Section {
  const frame = new ChartFrame('importance', t('Block importance'), t('Which blocks matter?'), context);
  const criterion = dropdown(t('Criterion'), (value) => context.setView({ criterion: value }));
  const range = checkbox(t('Full range'), context.view().wholeRange, (wholeRange) => context.setView({ wholeRange }));
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
      time?: string,
    ) => {
      const all = scoresOf(runs, shown);
      if (all.length === 0) {
        frame.setTools();
        frame.showEmpty(t('No block has a score yet. Scoring shows which blocks the model can do without.'), {
          label: t('Score Blocks…'),
          start: () => context.send({ type: 'start', action: 'score' }),
          time,
          enabled: trusted,
        });
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
      const data = { score, all: [...all, ...sequencesOf(runs, shown)], plan, blocks, whole };
      frame.show(summaryOf(score, plan, context.still), (width) =>
        drawImportance(data, width, frame, (block) => context.send({ type: 'plan/toggle', block })),
      );
    },
  );
  return {
    element: frame.element,
    update: ({ runs, plan, model, text, trusted, times }, view) =>
      draw(ownRuns(runs), plan, model.blocks, view.criterion, view.wholeRange, view.shown, text, trusted, times.score),
  };
}

/** Warns that the scores were measured on another text than the panel's perplexities, with a button that uses that text. */
function otherRows({ rowsKey, text: name, full }: ScoreDigest, text: PanelText | null, { send }: Context): Child[] {
  if (!text || rowsKey === undefined || name === undefined || rowsKey === rowsOfPanel(text)) return [];
  return [
    full === undefined
      ? t('⚠ Scored on {0}, not on the panel’s text.', rowsLabel({ rowsKey, text: name }))
      : t(
          '⚠ Scored on {0}, not on the panel’s text. Do not compare these perplexities with those above.',
          rowsLabel({ rowsKey, text: name }),
        ),
    button(t('Measure on This Text'), () => send({ type: 'text/use', rowsKey })),
  ];
}

/** The result of the chart in one or two sentences. */
function summaryOf(score: ScoreDigest, plan: PanelPlan, still = false): string {
  // In the panel the header lists the removed blocks. A list of changing length here would move the bars.
  const removes = plan.removed.length > 0 ? [t('The plan removes {0}.', blockList(plan.removed))] : [];
  const more = still ? removes : [t('Click a bar to remove or keep its block.')];
  return [resultOf(score), ...screenText(score), ...more].join(' ');
}

/** What is certain behind a screen; for other scores, their precision where it is not float32. */
function screenText({ screen, precision, blocks }: ScoreDigest): string[] {
  if (!screen || blocks.every(({ margin }) => margin === undefined))
    return isFloat32(precision) || precision === 'mixed'
      ? []
      : [t('Computed in {0}.', precisionText(precision, 'score'))];
  if (screen.margin === undefined)
    return [t('The {0} least important are certain, in float32; others were screened in int8 per row.', screen.exact)];
  return [
    t(
      'The {0} least important are certain, in float32; others were screened in int8 per row, within ±{1} nats near them.',
      screen.exact,
      shortNumber(numeric(screen.margin)),
    ),
  ];
}

function resultOf({ blocks, full, fullKl, criterion }: ScoreDigest): string {
  const sorted = [...blocks].sort((a, b) => numeric(a.score) - numeric(b.score));
  const [least, most] = [sorted[0], sorted.at(-1)!];
  const numbers = [
    least.index,
    shortNumber(numeric(least.score)),
    most.index,
    shortNumber(numeric(most.score)),
  ] as const;
  if (full !== undefined) {
    return t(
      'The whole model has perplexity {0}. Without block {1} (least important) it is {2}; without block {3} (most important) it is {4}.',
      shortNumber(numeric(full)),
      ...numbers,
    );
  }
  if (fullKl !== undefined) {
    return t(
      'KL divergence measures how far the predictions move. Without block {0} (least important) it is {1} nats; without block {2} (most important) {3} nats.',
      ...numbers,
    );
  }
  return t(
    'By {0}, block {1} matters least and block {2} matters most.',
    nameInText(criterion),
    least.index,
    most.index,
  );
}
