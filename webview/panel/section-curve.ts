/** The perplexity curve of every criterion that has one, and how to get those that are missing. */
import type { CriterionName } from '../../src/protocol/scores';
import type { PanelPlan, PanelRun, PanelState, RetrainedDigest, WhatIfState } from '../../src/protocol/panel';
import { button } from '../support/ui';
import { type CurveSeries, drawCurve } from './chart-curve';
import { ChartFrame } from './chart-frame';
import { short, numeric } from './numbers';
import { type Context, type Section, whenChanged } from './section';
import { scoresOf } from './section-importance';
import { lookOf } from './series';

/** The newest curve of each criterion, text and adapter. */
function seriesOf(runs: readonly PanelRun[]): CurveSeries[] {
  const newest = new Map<string, CurveSeries>();
  for (const { digest } of runs) {
    const { curve, adapter } = digest;
    if (!curve || curve.points.length === 0) continue;
    const look = lookOf(curve.criterion);
    const name = adapter === undefined ? look.name : `${look.name} with ${adapter}`;
    if (!newest.has(name))
      newest.set(name, {
        name,
        look: adapter === undefined ? look : { ...look, color: 'var(--good)' },
        points: curve.points,
        text: curve.text,
      });
  }
  return [...newest.values()];
}

/** The newest evaluation of each retrained model, on a text that curves or the what-if were measured on. */
function retrainedOf(runs: readonly PanelRun[], texts: readonly (string | null)[]): RetrainedDigest[] {
  const newest = new Map<string, RetrainedDigest>();
  for (const each of runs.flatMap(({ digest }) => digest.retrained ?? []))
    if (texts.includes(each.text) && !newest.has(each.label)) newest.set(each.label, each);
  return [...newest.values()];
}

/** The newest adapter that was trained and can be measured, but was not. */
function unmeasured(runs: readonly PanelRun[], columns: PanelState['columns']): string | undefined {
  const measured = runs.flatMap(({ digest }) => digest.retrained?.map(({ label }) => label) ?? []);
  const there = columns.filter(({ id }) => id.startsWith('adapter:')).map(({ label }) => label);
  const trained = runs.flatMap(({ digest }) => digest.training?.output ?? []);
  return trained.find((output) => there.includes(output) && !measured.includes(output));
}

export function curveSection(context: Context): Section {
  const frame = new ChartFrame('curve', 'What removing blocks costs', context);
  const startCurve = (criterion: string, primary: boolean, label: string): HTMLElement =>
    button(label, () => context.send({ type: 'start/curve', criterion: criterion as CriterionName }), {
      appearance: primary ? 'primary' : 'secondary',
    });
  const draw = whenChanged(
    (
      runs: PanelState['runs'],
      plan: PanelPlan,
      whatIf: WhatIfState,
      model: PanelState['model'],
      columns: PanelState['columns'],
    ) => {
      const series = seriesOf(runs);
      const retrained = retrainedOf(runs, [whatIf.text, ...series.map(({ text }) => text)]);
      const scored = scoresOf(runs).map(({ criterion }) => criterion);
      const missing = scored.filter((criterion) => !series.some(({ name }) => name === lookOf(criterion).name));
      const first = missing[0] ?? 'ppl';
      if (series.length === 0 && retrained.length === 0 && whatIf.ppl === null) {
        frame.setTools();
        frame.showEmpty(
          'The curve shows the perplexity with one, two, three … blocks removed: where the model bends, and where it breaks.',
          startCurve(first, true, 'Draw the Curve'),
        );
        return;
      }
      const adapter = unmeasured(runs, columns);
      const measure = (name: string): HTMLElement =>
        button(`Measure ${name}`, () => context.send({ type: 'start/retrained', adapter: name }));
      frame.setTools(
        ...(!context.still && adapter !== undefined ? [measure(adapter)] : []),
        ...(!context.still && (missing.length > 0 || series.length === 0)
          ? [startCurve(first, false, `Add ${lookOf(first).name}`)]
          : []),
      );
      const data = { series, model, plan, whatIf, retrained };
      frame.show(summaryOf(series, whatIf), (width) =>
        drawCurve(data, width, frame, (removed) => context.send({ type: 'plan/set', removed })),
      );
    },
  );
  return {
    element: frame.element,
    update: ({ runs, plan, whatIf, model, columns }) => draw(runs, plan, whatIf, model, columns),
  };
}

function summaryOf(series: readonly CurveSeries[], { full }: WhatIfState): string {
  const [first] = series;
  if (!first) return 'The plan as it is, on the calibration text.';
  const start = numeric(full ?? first.points[0].ppl);
  const bent = first.points.filter(({ ppl }) => numeric(ppl) <= 1.5 * start).at(-1);
  if (!bent || bent.count === 0)
    return `By ${first.name.toLowerCase()}, the first block that goes raises the perplexity by more than half.`;
  return `By ${first.name.toLowerCase()}, ${bent.count} blocks can go before the perplexity is more than half higher (${short(numeric(bent.ppl))} from ${short(start)}).`;
}
