/**
 * The perplexity curve of every criterion that has one, and how to get those that are missing. What was measured on other
 * rows has another unit, as it were: one set of rows is drawn at a time.
 */
import type { CriterionName } from '../../../src/protocol/scores';
import type {
  PanelModel,
  PanelPlan,
  PanelRun,
  PanelState,
  PanelText,
  RetrainedDigest,
  WhatIfState,
} from '../../../src/protocol/panel';
import { counted } from '../../support/numbers';
import { type Choice, dropdown } from '../../support/ui';
import { type CurveSeries, drawCurve } from '../charts/curve';
import { ChartFrame } from '../charts/frame';
import { blockList, moment, numeric, short } from '../numbers';
import { onPanelRows, rowsLabel, rowsOf, rowsOfPanel, rowsOfPlan, textLabel } from '../state/rows';
import { type Context, type Section, startButton, whenChanged } from './section';
import { scoresOf } from './importance';
import { seriesStyleOf, nameInText } from '../charts/series';
import { inOrder, ownRuns, shownNote } from '../state/shown-runs';

/** The newest curve of each criterion, base and adapter on these rows. @param runs those that were chosen first */
function seriesOf(runs: readonly PanelRun[], rows: string | undefined): CurveSeries[] {
  const newest = new Map<string, CurveSeries>();
  for (const { digest } of runs) {
    const { curve, adapter, removed } = digest;
    if (!curve || curve.points.length === 0 || rowsOf(curve) !== rows) continue;
    const style = seriesStyleOf(curve.criterion);
    const blocks = removed.filter((block) => typeof block === 'number');
    const without = blocks.length === removed.length ? blockList(blocks) : removed.join(', ');
    const name = [
      style.name,
      ...(adapter === undefined ? [] : [`with ${adapter}`]),
      ...(removed.length > 0 ? [`without ${without}`] : []),
    ].join(' ');
    if (!newest.has(name))
      newest.set(name, {
        ...{ name, points: curve.points, text: curve.text, criterion: curve.criterion },
        style: adapter === undefined ? style : { ...style, color: 'var(--good)' },
        whole: adapter === undefined && removed.length === 0,
      });
  }
  return [...newest.values()];
}

/** The newest evaluation of each retrained model on these rows. */
function retrainedOf(runs: readonly PanelRun[], rows: string | undefined): RetrainedDigest[] {
  const newest = new Map<string, RetrainedDigest>();
  for (const each of runs.flatMap(({ digest }) => digest.retrained ?? []))
    if (rowsOf(each) === rows && !newest.has(each.label)) newest.set(each.label, each);
  return [...newest.values()];
}

/** All rows that something was measured on: the panel's first, then the newest. */
function rowsToChoose(runs: readonly PanelRun[], panel: PanelText | null): Choice[] {
  const found = new Map<string, { label: string; when: string }>();
  const ofPanel = rowsOfPanel(panel);
  if (ofPanel !== undefined) found.set(ofPanel, { label: textLabel(panel!), when: 'the panel’s rows' });
  for (const { digest } of runs)
    for (const measured of [...(digest.curve ? [digest.curve] : []), ...(digest.retrained ?? [])])
      if (!found.has(rowsOf(measured)))
        found.set(rowsOf(measured), { label: rowsLabel(measured), when: moment(digest.started) });
  const labels = [...found.values()].map(({ label }) => label);
  return [...found].map(([value, { label, when }]) => {
    const alone = labels.filter((other) => other === label).length === 1;
    return { value, label: alone ? label : `${label}, ${when}` };
  });
}

/** The panel's rows where something was measured on them, else those of the newest curve. */
function usualRows(runs: readonly PanelRun[], panel: PanelText | null): string | undefined {
  const ofPanel = rowsOfPanel(panel);
  const curves = runs.flatMap(({ digest }) => digest.curve ?? []).map(rowsOf);
  return ofPanel !== undefined && curves.includes(ofPanel) ? ofPanel : (curves[0] ?? ofPanel);
}

/** Says that the curve was measured on another text than the panel's. */
function otherRows(rows: string | undefined, choices: readonly Choice[], panel: PanelText | null): string[] {
  const ofPanel = rowsOfPanel(panel);
  if (rows === undefined || ofPanel === undefined || rows === ofPanel) return [];
  const label = choices.find(({ value }) => value === rows)?.label ?? '';
  return [`⚠ Measured on ${label}, not on the panel’s text. `];
}

/** The newest adapter that was trained and can be measured, but was not. */
function unmeasured(runs: readonly PanelRun[], columns: PanelState['columns'], rows?: string): string | undefined {
  const measured = runs
    .flatMap(({ digest }) => digest.retrained ?? [])
    .filter((each) => rows === undefined || rowsOf(each) === rows)
    .map(({ label }) => label);
  const there = columns.filter(({ id }) => id.startsWith('adapter:')).map(({ label }) => label);
  const trained = runs.flatMap(({ digest }) => digest.training?.output ?? []);
  return trained.find((output) => there.includes(output) && !measured.includes(output));
}

/** What the axis starts from and the plan's point, as far as they belong to these rows. */
function comparable(whatIf: WhatIfState, rows: string | undefined, series: readonly CurveSeries[]): WhatIfState {
  if (rowsOfPlan(whatIf) === rows) return whatIf;
  const start = series
    .filter(({ whole }) => whole)
    .flatMap(({ points }) => points.find(({ count }) => count === 0) ?? []);
  return { ...whatIf, ppl: null, full: start[0]?.ppl ?? null };
}

export function curveSection(context: Context): Section {
  const frame = new ChartFrame('curve', 'What removing blocks costs', context);
  const texts = dropdown('Text', (text) => context.setView({ text }));
  const startCurve = (trusted: boolean, criterion: string, primary: boolean, label: string): HTMLElement =>
    startButton(
      trusted,
      label,
      () => {
        context.setView({ text: '' });
        context.send({ type: 'start/curve', criterion: criterion as CriterionName });
      },
      { appearance: primary ? 'primary' : 'secondary' },
    );
  const draw = whenChanged(
    (
      all: readonly PanelRun[],
      plan: PanelPlan,
      planned: WhatIfState,
      model: PanelModel,
      columns: PanelState['columns'],
      wanted: string,
      shown: readonly string[],
      panel: PanelText | null,
      trusted: boolean,
    ) => {
      const runs = inOrder(all, shown);
      const choices = rowsToChoose(all, panel);
      const rows = choices.some(({ value }) => value === wanted) ? wanted : usualRows(all, panel);
      const series = seriesOf(runs, rows);
      const whatIf = comparable(planned, rows, series);
      const retrained = retrainedOf(runs, rows);
      const drawn = seriesOf(all, rowsOfPanel(panel) ?? rows).map(({ criterion }) => criterion);
      const missing = scoresOf(all)
        .map(({ criterion }) => criterion)
        .filter((criterion) => !drawn.includes(criterion));
      const first = missing[0] ?? 'ppl';
      if (series.length === 0 && retrained.length === 0) {
        frame.setTools();
        frame.showEmpty(
          `The curve shows the perplexity with one, two, three … blocks removed: where the model bends, and where it breaks.${knownOf(whatIf)}`,
          ...(context.still ? [] : [startCurve(trusted, first, true, 'Draw the Curve')]),
        );
        return;
      }
      const adapter = unmeasured(all, columns, rowsOfPanel(panel));
      const measure = (name: string): HTMLElement =>
        startButton(trusted, `Measure ${name}`, () => context.send({ type: 'start/retrained', adapter: name }));
      if (rows !== undefined) texts.show(choices, rows);
      frame.setTools(
        ...(!context.still && adapter !== undefined ? [measure(adapter)] : []),
        ...(!context.still && (missing.length > 0 || drawn.length === 0)
          ? [startCurve(trusted, first, false, `Add ${seriesStyleOf(first).name}`)]
          : []),
        ...(choices.length > 1 ? [texts.element] : []),
      );
      frame.setNote(...shownNote(all, shown, 'curve', context), ...otherRows(rows, choices, panel));
      const data = { series, model, plan, whatIf, retrained };
      frame.show(summaryOf(series, whatIf), (width) =>
        drawCurve(data, width, frame, (removed, criterion) =>
          context.send({ type: 'plan/set', removed, ...(criterion !== undefined && { criterion }) }),
        ),
      );
    },
  );
  return {
    element: frame.element,
    update: ({ runs, plan, whatIf, model, columns, text: panel, trusted }, { text, shown }) =>
      draw(ownRuns(runs), plan, onPanelRows(whatIf, panel), model, columns, text, shown, panel, trusted),
  };
}

/** What is known without a curve: one or two numbers, in a sentence. */
function knownOf({ full, removed, ppl, text }: WhatIfState): string {
  if (full === null || text === null) return '';
  const whole = ` On ${text} the whole model has ${short(numeric(full))}`;
  if (ppl === null || removed.length === 0) return `${whole}.`;
  return `${whole}, and ${short(numeric(ppl))} with ${counted(removed.length, 'block')} removed.`;
}

function summaryOf(series: readonly CurveSeries[], { full }: WhatIfState): string {
  const [first] = series;
  if (!first) return 'Single models; the curve of a criterion is not drawn yet.';
  const start = numeric(full ?? first.points[0].ppl);
  const bent = first.points.filter(({ ppl }) => numeric(ppl) <= 1.5 * start).at(-1);
  if (!bent || bent.count === 0)
    return `By ${nameInText(first.criterion)}, the first block that goes raises the perplexity by more than half.`;
  return `By ${nameInText(first.criterion)}, ${counted(bent.count, 'block')} can go before the perplexity is more than half higher (${short(numeric(bent.ppl))} from ${short(start)}).`;
}
