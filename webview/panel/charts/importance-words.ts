/** What the importance chart says in words: of each bar, in its table, and in its legend. */
import type { ScoreDigest } from '../../../src/protocol/panel';
import { svg as svgEl } from '../../support/dom';
import { type Drawing, legendEntry } from './frame';
import { placesOf } from './ranks';
import { numeric, short } from '../numbers';
import { lineSign, seriesStyleOf } from './series';
import { known } from './table';

/** Of a 95 % interval. */
export interface Ends {
  readonly low: number;
  readonly high: number;
}

export interface Bar {
  readonly block: number;
  readonly value: number;
  /** Beside the whole model over the same texts: what whiskers show. NaN where the record does not tell. */
  readonly paired: Ends;
  /** From text to text: it says nothing of the differences between blocks. */
  readonly unpaired: Ends;
  readonly removed: boolean;
  readonly protected: boolean;
  readonly locked: boolean;
  /** Place in the criterion's order, from 1: the first goes first. */
  readonly place: number;
  /** Beyond the axis: infinite, or no number. */
  readonly off: boolean;
  /** The run has no score of it. */
  readonly unknown: boolean;
}

/** What a click does. */
export const hint = ({ locked, removed }: Bar): string =>
  locked ? 'Locked by the setting coppice.keep' : `Click or Space: ${removed ? 'keep' : 'remove'}`;

/** What is known of a bar, one phrase each. */
export function describe(bar: Bar, { criterion, full }: ScoreDigest): string[] {
  const state = bar.removed ? 'goes' : bar.locked ? 'locked' : bar.protected ? 'stays, protected' : 'stays';
  if (Number.isNaN(bar.value)) return [`Block ${bar.block}: not scored`, state];
  const value = short(bar.value);
  const interval = intervalOf(bar, numeric(full));
  const change =
    full === undefined ? [] : [`${short(bar.value / numeric(full))}× the whole model’s ${short(numeric(full))}`];
  const what = full === undefined ? `${seriesStyleOf(criterion).name} ${value}` : `perplexity without it ${value}`;
  return [`Block ${bar.block}: ${what}`, ...change, ...interval, `place ${bar.place}, 1 goes first`, state];
}

/** Old records have no paired interval: they show the other one, by its name. */
function intervalOf({ paired, unpaired }: Bar, full: number): string[] {
  if (Number.isFinite(paired.high)) {
    const words = `95 % interval ${short(paired.low)} to ${short(paired.high)}, paired over texts`;
    return paired.low <= full && full <= paired.high ? [words, 'it may cost nothing to remove'] : [words];
  }
  if (!Number.isFinite(unpaired.high)) return [];
  return [`from text to text ${short(unpaired.low)} to ${short(unpaired.high)}`];
}

/** @param all criteria, of which the others are columns with places */
export function tableOf(bars: readonly Bar[], all: readonly ScoreDigest[], score: ScoreDigest): Drawing['table'] {
  const others = all.filter((each) => each !== score);
  const hasPaired = bars.some(({ paired }) => Number.isFinite(paired.high));
  const hasIntervals = hasPaired || bars.some(({ unpaired }) => Number.isFinite(unpaired.high));
  const names = hasPaired ? ['Low, paired', 'High, paired'] : ['Low, from text to text', 'High, from text to text'];
  const placesOfOthers = others.map(placesOf);
  return {
    head: [
      'Block',
      seriesStyleOf(score.criterion).name,
      ...(hasIntervals ? names : []),
      'Place',
      ...others.map(({ criterion }) => `Place by ${seriesStyleOf(criterion).name}`),
      'Plan',
    ],
    rows: () =>
      bars.map((bar) => {
        const { low, high } = hasPaired ? bar.paired : bar.unpaired;
        return [
          bar.block,
          known(bar.value),
          ...(hasIntervals ? [known(low), known(high)] : []),
          bar.place === 0 ? null : bar.place,
          ...placesOfOthers.map((places) => places.get(bar.block) ?? null),
          bar.removed ? 'goes' : bar.locked ? 'locked' : bar.protected ? 'protected' : 'stays',
        ];
      }),
  };
}

/** What colours, stripes and signs mean. @param still nothing that is not there can come */
export function legendOf(bars: readonly Bar[], all: readonly ScoreDigest[], still: boolean): HTMLElement[] {
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
  return [
    legendEntry(box({ fill: 'var(--kept)' }), 'stays'),
    ...(!still || bars.some(({ removed }) => removed)
      ? [legendEntry(box({ fill: 'url(#removed-hatch)', stroke: 'var(--removed)' }), 'goes ✕')]
      : []),
    ...(bars.some(({ paired }) => Number.isFinite(paired.high))
      ? [legendEntry(whisker(), '95 % interval of the difference to the whole model')]
      : []),
    ...(bars.some((bar) => bar.protected) ? [legendEntry(square, 'protected')] : []),
    ...(all.length > 1
      ? all.map(({ criterion }) => legendEntry(lineSign(seriesStyleOf(criterion)), seriesStyleOf(criterion).name))
      : []),
  ];
}

const whisker = (): SVGElement =>
  svgEl(
    'svg',
    { width: 8, height: 12, 'aria-hidden': 'true', class: 'sign' },
    svgEl('path', { d: 'M4 1V11', stroke: 'var(--ink)', 'stroke-width': 1 }),
  );
