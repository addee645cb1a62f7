/**
 * The perplexity curve of every criterion that has one, with buttons for the missing ones. Perplexities on different rows
 * cannot be compared, so one set of rows is drawn at a time.
 */
import type { ShipGoal } from '../../../src/protocol/journey';
import type { CriterionName } from '../../../src/protocol/jobs';
import type { PanelChild, PanelRun, PanelState, PanelText, RunDigest, WhatIfState } from '../../../src/protocol/panel';
import { blocksText } from '../../support/amounts';
import { t } from '../../support/l10n';
import { type DropdownChoice, dropdown } from '../../support/ui';
import type { EmptyAction } from '../card';
import type { CurveSeries, RetrainedPoint } from '../charts/curve-dots';
import { ChartFrame } from '../charts/frame';
import { shortNumber } from '../../../src/format/numbers';
import { blockList, moment } from '../numbers';
import { healedChildren } from '../state/healed';
import { onPanelRows, rowsLabel, rowsOf, rowsOfPanel, rowsOfPlan, textLabel } from '../state/rows';
import { CurveControl, limitOf } from './curve-control';
import { type Card, type Context, type Section, startButton, whenChanged } from './section';
import { scoresOf } from './importance';
import { seriesStyleOf, nameInText } from '../charts/series';
import { isFloat32 } from '../../../src/format/arithmetic';
import { numeric } from '../../../src/format/json';
import { computedText, mixtureNote, namedIn } from '../state/precisions';
import { inOrder, ownRuns, shownNote } from '../state/shown-runs';
import type { ViewState } from '../state/view-state';

/** The newest curve of each criterion, base and adapter on these rows. @param runs the chosen ones first */
function seriesOf(runs: readonly PanelRun[], rows: string | undefined): CurveSeries[] {
  const newest = new Map<string, CurveSeries>();
  for (const { digest } of runs) {
    const { curve, adapter, removed, precision, device } = digest;
    if (!curve || !has(digest) || rowsOf(curve) !== rows) continue;
    const style = seriesStyleOf(curve.criterion);
    const blocks = removed.filter((block) => typeof block === 'number');
    const without = blocks.length === removed.length ? blockList(blocks) : removed.join(', ');
    const described = [
      style.name,
      ...(adapter === undefined ? [] : [t('with {0}', adapter)]),
      ...(removed.length > 0 ? [t('without {0}', without)] : []),
    ].join(' ');
    const name = namedIn(described, precision);
    if (!newest.has(name))
      newest.set(name, {
        name,
        points: curve.points,
        text: curve.text,
        criterion: curve.criterion,
        style: {
          ...style,
          ...(adapter !== undefined && { color: 'var(--good)' }),
          ...(!isFloat32(precision) && { dash: '2 3' }),
        },
        whole: adapter === undefined && removed.length === 0,
        computed: { precision, device },
      });
  }
  return [...newest.values()];
}

/** The newest evaluation of each retrained or healed model on these rows. */
function retrainedOf(
  runs: readonly PanelRun[],
  rows: string | undefined,
  children: readonly PanelChild[],
  panel: PanelText | null,
): RetrainedPoint[] {
  const newest = new Map<string, RetrainedPoint>();
  const measured = [
    ...runs.flatMap(({ digest }) =>
      (digest.retrained ?? []).map((each) => ({
        ...each,
        label: namedIn(each.label, digest.precision),
        precision: digest.precision,
      })),
    ),
    ...healedChildren(children, panel),
  ];
  for (const each of measured) if (rowsOf(each) === rows && !newest.has(each.label)) newest.set(each.label, each);
  return [...newest.values()];
}

/** All rows with measurements: those of the panel first, then the newest. */
function rowsToChoose(runs: readonly PanelRun[], panel: PanelText | null): DropdownChoice[] {
  const found = new Map<string, { label: string; when: string }>();
  const ofPanel = rowsOfPanel(panel);
  if (ofPanel !== undefined) found.set(ofPanel, { label: textLabel(panel!), when: t('the panel’s text') });
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

/** The panel's rows if a curve was measured on them, else those of the newest curve. */
function usualRows(runs: readonly PanelRun[], panel: PanelText | null): string | undefined {
  const ofPanel = rowsOfPanel(panel);
  const curves = runs.flatMap(({ digest }) => digest.curve ?? []).map(rowsOf);
  return ofPanel !== undefined && curves.includes(ofPanel) ? ofPanel : (curves[0] ?? ofPanel);
}

/** Warns that the curve was measured on another text than the panel's. */
function otherRows(rows: string | undefined, choices: readonly DropdownChoice[], panel: PanelText | null): string[] {
  const ofPanel = rowsOfPanel(panel);
  if (rows === undefined || ofPanel === undefined || rows === ofPanel) return [];
  const label = choices.find(({ value }) => value === rows)?.label ?? '';
  return [t('⚠ Measured on {0}, not on the panel’s text.', label)];
}

/** The newest trained adapter that can be measured and was not yet. */
function unmeasured(runs: readonly PanelRun[], columns: PanelState['columns'], rows?: string): string | undefined {
  const measured = runs
    .flatMap(({ digest }) => digest.retrained ?? [])
    .filter((each) => rows === undefined || rowsOf(each) === rows)
    .map(({ label }) => label);
  const there = columns.filter(({ id }) => id.startsWith('adapter:')).map(({ label }) => label);
  const trained = runs.flatMap(({ digest }) => digest.training?.output ?? []);
  return trained.find((output) => there.includes(output) && !measured.includes(output));
}

/** Start of the axis and the plan's point, if they were measured on these rows. */
function comparable(whatIf: WhatIfState, rows: string | undefined, series: readonly CurveSeries[]): WhatIfState {
  if (rowsOfPlan(whatIf) === rows) return whatIf;
  const start = series
    .filter(({ whole, computed }) => whole && isFloat32(computed.precision))
    .flatMap(({ points }) => points.find(({ count }) => count === 0) ?? []);
  return { ...whatIf, ppl: null, full: start[0]?.ppl ?? null };
}

/** A curve. Single models are points beside it. */
const has = ({ curve }: RunDigest): boolean => curve !== undefined && curve.points.length > 0;
const adds = ({ retrained }: RunDigest): boolean => retrained !== undefined && retrained.length > 0;

const TITLE = t('Perplexity curve');

export const curveCard: Card = {
  name: 'curve',
  title: TITLE,
  has,
  adds,
  show: ({ id, digest: { curve, retrained } }, { shown }) => ({
    shown: [...shown, id],
    text: rowsOf(curve ?? retrained![0]),
  }),
  make: curveSection,
};

function curveSection(context: Context): Section {
  const frame = new ChartFrame('curve', TITLE, t('What does removing blocks cost?'), context);
  const control = new CurveControl(frame, context);
  const texts = dropdown(t('Text'), (text) => context.setView({ text }));
  const curveBy = (criterion: string): EmptyAction => ({
    label: t('Draw Curve by {0}', nameInText(criterion)),
    start: () => {
      context.setView({ text: '' });
      context.send({ type: 'start/curve', criterion: criterion as CriterionName });
    },
  });
  const draw = whenChanged(
    ({ runs: all, plan, planned, model, columns, wanted, shown, panel, trusted, kin, goal, slider, time }: Drawn) => {
      const runs = inOrder(all, shown);
      const choices = rowsToChoose(all, panel);
      const rows = choices.some(({ value }) => value === wanted) ? wanted : usualRows(all, panel);
      const series = seriesOf(runs, rows);
      const whatIf = comparable(planned, rows, series);
      const retrained = retrainedOf(runs, rows, kin.children, panel);
      const drawn = seriesOf(all, rowsOfPanel(panel) ?? rows).map(({ criterion }) => criterion);
      const missing = scoresOf(all)
        .map(({ criterion }) => criterion)
        .filter((criterion) => !drawn.includes(criterion));
      const first = missing[0] ?? 'ppl';
      if (series.length === 0 && retrained.length === 0) {
        frame.setTools();
        frame.showEmpty([t('The curve shows how many blocks the model can lose.'), ...knownOf(whatIf)].join(' '), {
          ...curveBy(first),
          time,
          enabled: trusted,
        });
        return;
      }
      const adapter = unmeasured(all, columns, rowsOfPanel(panel));
      const measure = (name: string): HTMLElement =>
        startButton(trusted, t('Measure {0}', name), () => context.send({ type: 'start/retrained', adapter: name }));
      if (rows !== undefined) texts.show(choices, rows);
      frame.setTools(
        ...(!context.still && adapter !== undefined ? [measure(adapter)] : []),
        ...(!context.still && (missing.length > 0 || drawn.length === 0)
          ? [startButton(trusted, curveBy(first).label, curveBy(first).start)]
          : []),
        ...(choices.length > 1 ? [texts.element] : []),
      );
      const drawnIn = [...series.map(({ computed }) => computed), ...retrained].map(({ precision }) => precision);
      frame.setNote(
        ...shownNote(all, ({ digest }) => has(digest) || adds(digest), context, { text: '' }),
        ...otherRows(rows, choices, panel),
        // A quick number of the plan says so itself: a note that comes and goes would move the chart at every click.
        ...mixtureNote(whatIf.ppl === null ? drawnIn : [...drawnIn, 'float32']),
      );
      const limit = limitOf(goal, kin, whatIf, rows, panel);
      const data = { series, model, plan, whatIf, retrained, goal: limit };
      const computed = computedText(...series.map((each) => each.computed));
      control.show(data, slider);
      frame.show(`${summaryOf(series, whatIf)} ${computed}`.trim(), (width) => control.draw(data, width));
    },
  );
  return {
    element: frame.element,
    update: (state, { text: wanted, shown, slider }) => {
      const { runs, plan, whatIf, model, columns, text: panel, trusted, kin, journey, times } = state;
      draw({
        ...{ runs: ownRuns(runs), plan, model, columns, wanted, shown, panel, trusted, kin, slider },
        planned: onPanelRows(whatIf, panel),
        goal: journey.goal,
        time: times.curve,
      });
    },
  };
}

/** What the chart depends on. */
type Drawn = Pick<PanelState, 'runs' | 'plan' | 'model' | 'columns' | 'trusted' | 'kin'> &
  Pick<ViewState, 'shown' | 'slider'> & {
    /** Perplexity of the plan, if it is of the panel's rows. */
    readonly planned: WhatIfState;
    /** The rows that the user chose. */
    readonly wanted: string;
    readonly panel: PanelText | null;
    readonly goal: ShipGoal | null;
    /** How long a curve takes, in words. */
    readonly time: string | undefined;
  };

/** The one or two numbers that are known without a curve, in a sentence. */
function knownOf({ full, removed, ppl, text, precision }: WhatIfState): string[] {
  if (full === null || text === null) return [];
  const whole = shortNumber(numeric(full));
  if (ppl === null || removed.length === 0) return [t('Perplexity on {0}: {1} for the original.', text, whole)];
  return [
    t(
      'Perplexity on {0}: {1} for the original, {2} with {3} removed.',
      text,
      whole,
      isFloat32(precision)
        ? shortNumber(numeric(ppl))
        : t('about {0} (in int8 per row; float32 follows)', shortNumber(numeric(ppl))),
      blocksText(removed.length),
    ),
  ];
}

function summaryOf(series: readonly CurveSeries[], { full }: WhatIfState): string {
  const [first] = series;
  if (!first) return t('These are single models. No curve of a criterion is drawn yet.');
  const start = numeric((isFloat32(first.computed.precision) ? full : null) ?? first.points[0].ppl);
  const bent = first.points.filter(({ ppl }) => numeric(ppl) <= 1.5 * start).at(-1);
  if (!bent || bent.count === 0)
    return t('By {0}, removing the first block raises the perplexity by more than half.', nameInText(first.criterion));
  return t(
    'By {0}, you can remove {1} before the perplexity rises by more than half ({2} from {3}).',
    nameInText(first.criterion),
    blocksText(bent.count),
    shortNumber(numeric(bent.ppl)),
    shortNumber(start),
  );
}
