/** What the importance chart says in words: of each bar, in its table, and in its legend. */
import type { ScoreDigest } from '../../src/protocol/panel';
import { svg as svgEl } from '../support/dom';
import { type Drawing, legendEntry } from './chart-frame';
import { placesOf } from './chart-ranks';
import { numeric, short } from './numbers';
import { lineSign, lookOf } from './series';
import { known } from './table';

export interface Bar {
  readonly block: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
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

/** All that is known of a bar, a phrase each. */
export function describe(bar: Bar, { criterion, full }: ScoreDigest): string[] {
  const state = bar.removed ? 'goes' : bar.locked ? 'locked' : bar.protected ? 'stays, protected' : 'stays';
  if (Number.isNaN(bar.value)) return [`Block ${bar.block}: not scored`, state];
  const value = short(bar.value);
  const interval = Number.isFinite(bar.high) ? [`95 % interval ${short(bar.low)} to ${short(bar.high)}`] : [];
  const change =
    full === undefined ? [] : [`${short(bar.value / numeric(full))}× the whole model’s ${short(numeric(full))}`];
  const what = full === undefined ? `${lookOf(criterion).name} ${value}` : `perplexity without it ${value}`;
  return [`Block ${bar.block}: ${what}`, ...change, ...interval, `place ${bar.place}, 1 goes first`, state];
}

/** @param all criteria, of which the others are columns with places */
export function tableOf(bars: readonly Bar[], all: readonly ScoreDigest[], score: ScoreDigest): Drawing['table'] {
  const others = all.filter((each) => each !== score);
  const hasIntervals = bars.some(({ high }) => Number.isFinite(high));
  const placesOfOthers = others.map(placesOf);
  return {
    head: [
      'Block',
      lookOf(score.criterion).name,
      ...(hasIntervals ? ['Low', 'High'] : []),
      'Place',
      ...others.map(({ criterion }) => `Place by ${lookOf(criterion).name}`),
      'Plan',
    ],
    rows: () =>
      bars.map((bar) => [
        bar.block,
        known(bar.value),
        ...(hasIntervals ? [known(bar.low), known(bar.high)] : []),
        bar.place === 0 ? null : bar.place,
        ...placesOfOthers.map((places) => places.get(bar.block) ?? null),
        bar.removed ? 'goes' : bar.locked ? 'locked' : bar.protected ? 'protected' : 'stays',
      ]),
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
    ...(bars.some((bar) => bar.protected) ? [legendEntry(square, 'protected')] : []),
    ...(all.length > 1
      ? all.map(({ criterion }) => legendEntry(lineSign(lookOf(criterion)), lookOf(criterion).name))
      : []),
  ];
}
