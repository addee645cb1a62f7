/** The words of the importance chart: the tip of each bar, the table and the legend. */
import { hasNoise, isNoise } from '../../../src/format/noise';
import type { ScoreDigest } from '../../../src/protocol/panel';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import type { Drawing } from './frame';
import type { Bar } from './importance-facts';
import { legendEntry, sign } from './legend';
import { ranksOf } from './ranks';
import { shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { seriesStyleOf } from './series';
import { type Column, known, numbersBy } from './table';

/** Tells what a click does. */
export function hint({ locked, removed }: Bar): string {
  if (locked) return t('Protected by the setting coppice.keep');
  return removed ? t('Click or press Space to keep') : t('Click or press Space to remove');
}

function stateOf({ removed, locked, protected: isProtected }: Bar): string {
  if (removed) return t('will be removed');
  if (locked) return t('kept, protected by a setting');
  return isProtected ? t('kept, protected') : t('kept');
}

/** The facts of a bar, one phrase each. */
export function describe(bar: Bar, { criterion, full, fullKl }: ScoreDigest): string[] {
  const state = stateOf(bar);
  if (Number.isNaN(bar.value)) return [t('Block {0}: not scored', bar.block), state];
  const value = shortNumber(bar.value);
  const rank = t('rank {0} of {1} (1 = removed first)', bar.rank, bar.ranked);
  if (full === undefined) {
    return [
      fullKl === undefined
        ? t('Block {0}: {1} {2}', bar.block, seriesStyleOf(criterion).name, value)
        : t('Block {0}: KL divergence without it {1} nats', bar.block, value),
      ...screenOf(bar),
      ...intervalOf(bar, numeric(fullKl)),
      rank,
      state,
    ];
  }
  const whole = numeric(full);
  return [
    t('Block {0}: perplexity without it {1}', bar.block, value),
    t('{0}× the original’s {1}', shortNumber(bar.value / whole), shortNumber(whole)),
    ...screenOf(bar),
    ...intervalOf(bar, whole),
    rank,
    state,
  ];
}

/** Says of a score that it is not float32's, and how far off it may be. */
const screenOf = ({ margin, readRows }: Bar): string[] => [
  ...(readRows === undefined ? [] : [t('estimated from the first {0} rows', readRows)]),
  ...(margin === undefined ? [] : [t('screened in int8, within ±{0} nats', shortNumber(margin))]),
];

/** Old records have no paired interval. For them the interval across texts is shown, under its own name. */
function intervalOf({ joint, unpaired }: Bar, whole: number): string[] {
  if (!Number.isNaN(joint.high)) {
    const words = t(
      '95 % interval {0} to {1}, for all blocks at once',
      shortNumber(joint.low),
      shortNumber(joint.high),
    );
    return hasNoise(whole) && isNoise(joint, whole) ? [words, t('no measurable effect')] : [words];
  }
  if (!Number.isFinite(unpaired.high)) return [];
  return [t('95 % interval {0} to {1}, across samples', shortNumber(unpaired.low), shortNumber(unpaired.high))];
}

/** @param all criteria; each one other than `score` gets a column with ranks */
export function tableOf(bars: readonly Bar[], all: readonly ScoreDigest[], score: ScoreDigest): Drawing['table'] {
  const others = all.filter((each) => each !== score);
  const hasJoint = bars.some(({ joint }) => !Number.isNaN(joint.high));
  const hasIntervals = hasJoint || bars.some(({ unpaired }) => Number.isFinite(unpaired.high));
  const names = hasJoint
    ? [t('95 % low (paired)'), t('95 % high (paired)')]
    : [t('95 % low (across samples)'), t('95 % high (across samples)')];
  const isMixed = bars.some(({ margin }) => margin !== undefined);
  const isRaced = bars.some(({ readRows }) => readRows !== undefined);
  const [isRatio, whole] = [score.full !== undefined, numeric(score.full)];
  const of = ({ joint, unpaired }: Bar) => (hasJoint ? joint : unpaired);
  return numbersBy<Bar>(
    () => bars,
    [
      [t('Block'), ({ block }) => block],
      [seriesStyleOf(score.criterion).name, ({ value }) => known(value)],
      ...only(isRatio, [t('× original'), ({ value }) => known(value / whole)]),
      ...only(isMixed, [
        t('Precision'),
        ({ unknown, margin }) => (unknown ? null : margin === undefined ? 'float32' : 'int8'),
      ]),
      ...only(isRaced, [t('Rows read'), ({ unknown, readRows }) => (unknown ? null : (readRows ?? t('all')))]),
      ...only(hasIntervals, [names[0], (bar) => known(of(bar).low)], [names[1], (bar) => known(of(bar).high)]),
      [t('Rank'), ({ rank }) => (rank === 0 ? null : rank)],
      ...others.map((each): Column<Bar> => {
        const ranks = ranksOf(each);
        return [t('Rank by {0}', seriesStyleOf(each.criterion).name), ({ block }) => ranks.get(block) ?? null];
      }),
      [t('Plan'), planWord],
    ],
  );
}

const only = (has: boolean, ...columns: readonly Column<Bar>[]): readonly Column<Bar>[] => (has ? columns : []);

function planWord({ removed, locked, protected: isProtected }: Bar): string {
  if (removed) return t('removed');
  if (locked) return t('protected by a setting');
  return isProtected ? t('protected') : t('kept');
}

/** Whether a bar is less certain than those of the least important blocks. */
export const isRough = ({ margin, readRows }: Bar): boolean => margin !== undefined || readRows !== undefined;

/** A bar that was only screened, or measured on some of the rows: pale, with a dashed edge, so that it is told apart without colour. */
export const SCREENED = { fill: 'var(--kept)', 'fill-opacity': 0.4, stroke: 'var(--kept)', 'stroke-width': 1 } as const;
export const SCREENED_DASHES = '3 2';

/**
 * What colours, stripes and symbols mean.
 * @param still in a report, where the plan cannot change @param hasFields there are fields of noise
 */
export function legendOf(bars: readonly Bar[], still: boolean, hasFields: boolean): HTMLElement[] {
  const box = (attributes: Record<string, string | number>): SVGElement =>
    sign(14, svgEl('rect', { x: 1, y: 1, width: 12, height: 10, rx: 1.5, ...attributes }));
  const square = sign(10, svgEl('rect', { x: 2, y: 4, width: 5, height: 5, fill: 'var(--protected)' }));
  const band = { fill: 'var(--ink)', 'fill-opacity': 0.13, stroke: 'var(--ink)', 'stroke-dasharray': '1 2' };
  return [
    legendEntry(box({ fill: 'var(--kept)' }), t('Kept')),
    ...(!still || bars.some(({ removed }) => removed)
      ? [legendEntry(box({ fill: 'url(#removed-hatch)', stroke: 'var(--removed)' }), `${t('Removed')} ✕`)]
      : []),
    ...(bars.some(({ joint }) => Number.isFinite(joint.high))
      ? [legendEntry(whisker(), t('95 % interval of the difference to the original, for all blocks at once'))]
      : []),
    ...(hasFields
      ? [legendEntry(box(band), t('Noise band: removing a block whose bar ends here may cost nothing'))]
      : []),
    ...(bars.some(isRough)
      ? [legendEntry(box({ ...SCREENED, 'stroke-dasharray': SCREENED_DASHES }), roughWords(bars))]
      : []),
    ...(bars.some((bar) => bar.protected) ? [legendEntry(square, t('Protected'))] : []),
  ];
}

function roughWords(bars: readonly Bar[]): string {
  const isScreened = bars.some(({ margin }) => margin !== undefined);
  if (!bars.some(({ readRows }) => readRows !== undefined)) return t('Screened in int8');
  return isScreened ? t('Screened in int8, or on some of the rows') : t('Estimated from some of the rows');
}

const whisker = (): SVGElement => sign(8, svgEl('path', { d: 'M4 1V11', stroke: 'var(--ink)', 'stroke-width': 1 }));
