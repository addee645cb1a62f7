/** The words of the chart of curves: what a point is, its labels, legend and table. */
import { formatBytes, formatFactor, formatPercent, shortCount, shortNumber } from '../../../src/format/numbers';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import { blockList } from '../numbers';
import { bytesWithout, parametersAt, speedAt } from '../state/curve-plans';
import { namedIn } from '../state/precisions';
import { chosenName, type CurveData, type Dot, wholeOf } from './curve-dots';
import { legendEntry, sign } from './legend';
import { lineSign } from './series';
import { known, type Numbers, numbersBy } from './table';

export function tipOf(dot: Dot, data: CurveData): string[] {
  const { model } = data;
  const { count, ppl, kl, accuracy, removed, next } = dot;
  const full = wholeOf(dot, data);
  const bytes = bytesWithout(model, removed);
  return [
    t('{0}: {1} removed', dot.label, count),
    Number.isFinite(full)
      ? t('perplexity {0} ({1}× the original’s)', shortNumber(ppl), shortNumber(ppl / full, 3))
      : t('perplexity {0}', shortNumber(ppl)),
    ...(kl === undefined || count === 0 ? [] : [t('KL divergence {0} nats', shortNumber(kl, 3))]),
    ...(accuracy === undefined ? [] : [t('accuracy {0}', formatPercent(accuracy))]),
    bytes > 0
      ? t('{0} parameters, {1}', shortCount(parametersAt(model, count)), formatBytes(bytes))
      : t('{0} parameters', shortCount(parametersAt(model, count))),
    t('estimated speed {0}', formatFactor(speedAt(model, count))),
    t('blocks {0}', blockList(removed)),
    ...(next === undefined || next.length === 0 ? [] : [nextText(next)]),
  ];
}

/** "next goes block 12" */
export const nextText = (next: readonly number[]): string =>
  next.length === 1 ? t('next goes block {0}', next[0]) : t('next go blocks {0}', blockList(next));

/** The label beside a point; undefined for a point of a curve. */
export function labelOf({ kind, ppl, quick, precision }: Dot, still: boolean): string | undefined {
  const number = shortNumber(ppl);
  switch (kind) {
    case 'plan':
      if (still) return t('chosen {0}', number);
      return quick === undefined ? t('plan {0}', number) : namedIn(t('plan {0}', `≈ ${number}`), quick);
    case 'healed':
      return namedIn(t('healed {0}', number), precision);
    case 'retrained':
      return namedIn(t('retrained {0}', number), precision);
    default:
      return undefined;
  }
}

export const tableOf = (dots: readonly Dot[], { model }: CurveData): Numbers =>
  numbersBy(
    () => dots,
    [
      [t('Series'), ({ label }) => label],
      [t('Removed'), ({ count }) => count],
      [t('Perplexity'), ({ ppl }) => known(ppl)],
      [t('Parameters'), ({ count }) => parametersAt(model, count)],
      [t('Estimated speed'), ({ count }) => speedAt(model, count)],
      [t('Blocks'), ({ removed }) => blockList(removed)],
    ],
  );

export function legendOf({ series }: CurveData, dots: readonly Dot[], still: boolean): HTMLElement[] {
  const symbol = (path: string, attributes: Record<string, string | number>): SVGElement =>
    sign(14, svgEl('path', { d: path, ...attributes }));
  const has = (kind: Dot['kind']): boolean => dots.some((dot) => dot.kind === kind);
  return [
    ...series.map(({ name, style }) => legendEntry(lineSign(style), name)),
    // In the panel, clicks show and hide the plan's point. Its legend entry stays.
    ...(!still || has('plan')
      ? [
          legendEntry(
            symbol('M7 1 12 6 7 11 2 6Z', { fill: 'none', stroke: 'var(--removed)', 'stroke-width': 2 }),
            chosenName(still),
          ),
        ]
      : []),
    ...(has('retrained')
      ? [
          legendEntry(
            symbol('M7 0l1.6 4 4 .3-3.1 2.6 1 4L7 8.7 3.5 10.9l1-4L1.4 4.3l4-.3Z', { fill: 'var(--good)' }),
            t('Retrained'),
          ),
        ]
      : []),
    ...(has('healed')
      ? [legendEntry(symbol('M5.5 1h3v3.5H12v3H8.5V11h-3V7.5H2v-3h3.5Z', { fill: 'var(--good)' }), t('Healed'))]
      : []),
  ];
}
