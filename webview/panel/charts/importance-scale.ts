/**
 * The scale of the importance chart. Bars start at the whole model, or at zero, and their ends are at the increase of the
 * loss in nats, of the divergence in nats, or at the score. One block often matters a thousand times as much as another, so
 * the scale is a logarithm of that amount with a linear part around zero: nothing is cut, zero has a place, and blocks whose
 * removal improves the model go below it. Pure.
 */
import { shortNumber } from '../../../src/format/numbers';

/** What bars measure: a perplexity by that of the whole model, a divergence from that of the scored model, or a score. */
export type Measure = 'ratio' | 'divergence' | 'score';

export interface Scale {
  readonly measure: Measure;
  readonly log: boolean;
  /** Amounts far below this are drawn on a linear scale. */
  readonly linearTo: number;
  /** The ends of the axis, as amounts. */
  readonly bottom: number;
  readonly top: number;
  /** The length of a bar as an amount: 0 draws none. */
  readonly amountOf: (score: number) => number;
  /** The place of an amount on the axis: 0 at its bottom, 1 at its top. */
  readonly placeOf: (amount: number) => number;
}

export interface Tick {
  readonly amount: number;
  readonly label: string;
}

/** Scores that span more than this are drawn on a logarithmic scale: one and a half decades. */
const LOG_FROM = 10 ** 1.5;
/** The linear part of the scale ends at this share of the usual bar. */
const LINEAR_SHARE = 0.1;
/** Room above the longest bar, as a share of the axis; more where a bar without an end has to be longer. */
const [ROOM, ROOM_FOR_ENDLESS] = [0.05, 0.16];

/**
 * @param scores finite ones, of the bars
 * @param ends of the whiskers; those that are finite have room, but on a logarithmic scale below zero only a little: where
 *   a whisker goes far below, that it goes there is what counts, and bars need the room
 * @param base perplexity or divergence of the model with all blocks; 0 for other scores
 * @param endless some bar is infinite
 */
export function scaleOf(
  measure: Measure,
  scores: readonly number[],
  ends: readonly number[],
  base: number,
  endless: boolean,
): Scale {
  const amountOf = (score: number): number => (measure === 'ratio' ? Math.log(score / base) : score - base);
  const bars = scores.map(amountOf).filter(Number.isFinite);
  const sizes = bars.map(Math.abs).filter((size) => size > 0);
  sizes.sort((a, b) => a - b);
  const log = sizes.length > 0 && (measure === 'ratio' || sizes.at(-1)! / sizes[0] > LOG_FROM);
  const linearTo = LINEAR_SHARE * (sizes[Math.floor(sizes.length / 2)] ?? 1);
  const lowest = log ? Math.min(-linearTo, ...bars) : -Infinity;
  const whiskers = ends.map((end) => Math.max(lowest, amountOf(end))).filter(Number.isFinite);
  const all = [0, ...bars, ...whiskers];
  const bent = (amount: number): number => (log ? Math.sign(amount) * Math.log1p(Math.abs(amount) / linearTo) : amount);
  const straight = (place: number): number => (log ? Math.sign(place) * linearTo * Math.expm1(Math.abs(place)) : place);
  const [low, high] = [bent(Math.min(...all)), bent(Math.max(...all))];
  const range = high > low ? high - low : 1;
  const [from, to] = [low < 0 ? low - range * ROOM : 0, high + range * (endless ? ROOM_FOR_ENDLESS : ROOM)];
  return {
    measure,
    log,
    linearTo,
    bottom: straight(from),
    top: straight(to),
    amountOf,
    placeOf: (amount) => (bent(amount) - from) / (to - from),
  };
}

/** Ticks with round labels: "×1.05" for perplexities. @param most that have room on the axis */
export function ticksOf(scale: Scale, base: number, most: number): Tick[] {
  const { measure, log } = scale;
  const isRatio = measure === 'ratio';
  const tick = (amount: number): Tick => {
    const value = isRatio ? Math.exp(amount) : amount + (measure === 'divergence' ? base : 0);
    return { amount, label: isRatio ? `×${shortNumber(value, 5)}` : shortNumber(value, 3) };
  };
  if (!log) return evenAmounts(scale, isRatio ? 1 : most).map(tick);
  const [above, below] = isRatio
    ? [ROUND_RATIOS, RATIOS_BELOW].map((ratios) => ratios.map(Math.log))
    : [ROUND_VALUES, ROUND_VALUES.map((value) => -value)];
  return [0, ...apart(above, scale, most), ...apart(below, scale, most)].map(tick);
}

/** The amounts on the axis that are far enough from zero and from each other. @param amounts away from zero */
function apart(amounts: readonly number[], { bottom, top, placeOf }: Scale, most: number): number[] {
  let last = placeOf(0);
  return amounts.filter((amount) => {
    if (amount < bottom || amount > top) return false;
    const place = placeOf(amount);
    if (Math.abs(place - last) < 1 / most) return false;
    last = place;
    return true;
  });
}

/** Multiples of a round step. */
function evenAmounts({ bottom, top }: Scale, most: number): number[] {
  const step = ROUND_VALUES.find((value) => (top - bottom) / value <= most) ?? top - bottom;
  const first = Math.ceil(bottom / step);
  return Array.from({ length: Math.floor(top / step) - first + 1 }, (_, i) => (first + i) * step);
}

const decades = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** 1, 2 and 5 of every decade, ascending. */
const ROUND_VALUES: readonly number[] = decades(-12, 12).flatMap((power) =>
  [1, 2, 5].map((digit) => Number(`${digit}e${power}`)),
);
/** 1.001, 1.002, 1.005, 1.01 … 1.5, 2, 3, 5, 10, 20 …, ascending. */
const ROUND_RATIOS: readonly number[] = [
  ...decades(-6, -1).flatMap((power) => [1, 2, 5].map((digit) => 1 + Number(`${digit}e${power}`))),
  ...[2, 3, 5],
  ...decades(1, 30).flatMap((power) => [1, 2, 5].map((digit) => Number(`${digit}e${power}`))),
];
/** 0.999, 0.998, 0.995, 0.99 … 0.5, 0.2, 0.1 …, descending. */
const RATIOS_BELOW: readonly number[] = [
  ...decades(-6, -1).flatMap((power) => [1, 2, 5].map((digit) => 1 - Number(`${digit}e${power}`))),
  ...decades(1, 12).flatMap((power) => [2, 1, 0.5].map((digit) => digit * Number(`1e-${power}`))),
];
