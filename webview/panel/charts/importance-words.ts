/** The words of the importance chart: the tip of each bar, the table and the legend. */
import { hasNoise, isNoise } from '../../../src/format/noise';
import type { ScoreDigest } from '../../../src/protocol/panel';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import { type Drawing, legendEntry } from './frame';
import type { Bar } from './importance-facts';
import { ranksOf } from './ranks';
import { shortNumber } from '../../../src/format/numbers';
import { numeric } from '../numbers';
import { seriesStyleOf } from './series';
import { known } from './table';

/** Tells what a click does. */
export function hint({ locked, removed }: Bar): string {
  if (locked) return t('Locked by the setting coppice.keep');
  return removed ? t('Click or press Space to keep') : t('Click or press Space to remove');
}

function stateOf({ removed, locked, protected: isProtected }: Bar): string {
  if (removed) return t('will be removed');
  if (locked) return t('locked');
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
    t('{0}× the whole model’s {1}', shortNumber(bar.value / whole), shortNumber(whole)),
    ...screenOf(bar),
    ...intervalOf(bar, whole),
    rank,
    state,
  ];
}

/** Says of a score that it is not float32's, and how far off it may be. */
const screenOf = ({ margin }: Bar): string[] =>
  margin === undefined ? [] : [t('screened in int8, within ±{0} nats', shortNumber(margin))];

/** Old records have no paired interval. For them the interval across texts is shown, under its own name. */
function intervalOf({ joint, unpaired }: Bar, whole: number): string[] {
  if (!Number.isNaN(joint.high)) {
    const words = t(
      '95 % interval {0} to {1}, for all blocks at once',
      shortNumber(joint.low),
      shortNumber(joint.high),
    );
    return hasNoise(whole) && isNoise(joint, whole) ? [words, t('hardly told from noise')] : [words];
  }
  if (!Number.isFinite(unpaired.high)) return [];
  return [t('across texts {0} to {1}', shortNumber(unpaired.low), shortNumber(unpaired.high))];
}

/** @param all criteria; each one other than `score` gets a column with ranks */
export function tableOf(bars: readonly Bar[], all: readonly ScoreDigest[], score: ScoreDigest): Drawing['table'] {
  const others = all.filter((each) => each !== score);
  const hasJoint = bars.some(({ joint }) => !Number.isNaN(joint.high));
  const hasIntervals = hasJoint || bars.some(({ unpaired }) => Number.isFinite(unpaired.high));
  const names = hasJoint ? [t('Low, paired'), t('High, paired')] : [t('Low, across texts'), t('High, across texts')];
  const isMixed = bars.some(({ margin }) => margin !== undefined);
  const [isRatio, whole] = [score.full !== undefined, numeric(score.full)];
  const ranksOfOthers = others.map(ranksOf);
  return {
    head: [
      t('Block'),
      seriesStyleOf(score.criterion).name,
      ...(isRatio ? [t('× whole model')] : []),
      ...(isMixed ? [t('Precision')] : []),
      ...(hasIntervals ? names : []),
      t('Rank'),
      ...others.map(({ criterion }) => t('Rank by {0}', seriesStyleOf(criterion).name)),
      t('Plan'),
    ],
    rows: () =>
      bars.map((bar) => {
        const { low, high } = hasJoint ? bar.joint : bar.unpaired;
        return [
          bar.block,
          known(bar.value),
          ...(isRatio ? [known(bar.value / whole)] : []),
          ...(isMixed ? [bar.unknown ? null : bar.margin === undefined ? 'float32' : 'int8'] : []),
          ...(hasIntervals ? [known(low), known(high)] : []),
          bar.rank === 0 ? null : bar.rank,
          ...ranksOfOthers.map((ranks) => ranks.get(bar.block) ?? null),
          bar.removed ? t('removed') : bar.locked ? t('locked') : bar.protected ? t('protected') : t('kept'),
        ];
      }),
  };
}

/** A bar that was only screened: pale, with a dashed edge, so that it is told apart without colour. */
export const SCREENED = { fill: 'var(--kept)', 'fill-opacity': 0.4, stroke: 'var(--kept)', 'stroke-width': 1 } as const;
export const SCREENED_DASHES = '3 2';

/**
 * What colours, stripes and symbols mean.
 * @param still in a report, where the plan cannot change @param hasFields there are fields of noise
 */
export function legendOf(bars: readonly Bar[], still: boolean, hasFields: boolean): HTMLElement[] {
  const box = (attributes: Record<string, string | number>): SVGElement =>
    svgEl(
      'svg',
      { width: 14, height: 12, 'aria-hidden': 'true', class: 'sign' },
      svgEl('rect', { x: 1, y: 1, width: 12, height: 10, rx: 1.5, ...attributes }),
    );
  const square = svgEl(
    'svg',
    { width: 10, height: 12, 'aria-hidden': 'true', class: 'sign' },
    svgEl('rect', { x: 2, y: 4, width: 5, height: 5, fill: 'var(--protected)' }),
  );
  const band = { fill: 'var(--ink)', 'fill-opacity': 0.13, stroke: 'var(--ink)', 'stroke-dasharray': '1 2' };
  return [
    legendEntry(box({ fill: 'var(--kept)' }), t('Kept')),
    ...(!still || bars.some(({ removed }) => removed)
      ? [legendEntry(box({ fill: 'url(#removed-hatch)', stroke: 'var(--removed)' }), `${t('Removed')} ✕`)]
      : []),
    ...(bars.some(({ joint }) => Number.isFinite(joint.high))
      ? [legendEntry(whisker(), t('95 % interval of the difference to the whole model, for all blocks at once'))]
      : []),
    ...(hasFields ? [legendEntry(box(band), t('Noise: a bar that ends here may cost nothing'))] : []),
    ...(bars.some(({ margin }) => margin !== undefined)
      ? [legendEntry(box({ ...SCREENED, 'stroke-dasharray': SCREENED_DASHES }), t('Screened in int8'))]
      : []),
    ...(bars.some((bar) => bar.protected) ? [legendEntry(square, t('Protected'))] : []),
  ];
}

const whisker = (): SVGElement =>
  svgEl(
    'svg',
    { width: 8, height: 12, 'aria-hidden': 'true', class: 'sign' },
    svgEl('path', { d: 'M4 1V11', stroke: 'var(--ink)', 'stroke-width': 1 }),
  );
