/**
 * Exact where it matters: all candidates are known by a cheap screen, and those that can be among the least are computed
 * exactly until no other one can belong to them. What the screen is worth is measured on the way (margin.ts).
 */
import { type Margin, marginOf, NO_SPREAD, type Spread } from './margin';
import { rankBlocks } from './select';

/** What decides, in nats (mean loss or divergence): of the model, and without each candidate. */
export interface Numbers {
  readonly full: number;
  readonly without: readonly number[];
  /** How far each number may be from that of all rows: 0 of those that were measured on all; all 0 when undefined. */
  readonly halves?: readonly number[];
}

export interface ScreenOptions {
  /** How many of the least candidates are wanted exactly. */
  readonly exact: number;
  /** Whether a candidate counts; all when undefined. The others are never computed exactly. */
  readonly counts?: (candidate: number) => boolean;
  /** Errors of earlier screens of the same kind. */
  readonly earlier?: Spread;
  /** The whole model has no error that others share: what is measured is how far they are from it. */
  readonly isMeasure?: boolean;
}

export interface Screened extends Margin {
  /** The candidates that were computed exactly, ascending. */
  readonly confirmed: readonly number[];
  /** How far the exact number of another candidate may be from its screen and the shift, in nats. */
  readonly marginOf: (candidate: number) => number;
}

/** Exact numbers of some more candidates, ascending, in their order; and of the whole model. */
export type Confirm = (candidates: readonly number[]) => Promise<Numbers>;

/** So many errors tell something about the next one, that of the whole model included. */
const FIRST = 4;
/** In numbers of margins: a candidate whose change is larger by so much may have a margin twice as large. */
const GROWTH = 4;

/**
 * Confirms candidates until the `exact` least are certain, with all those that equal the last of them.
 * @throws what `confirm` throws
 */
export async function screen(
  screened: Numbers,
  { exact, counts = () => true, earlier = NO_SPREAD, isMeasure = false }: ScreenOptions,
  confirm: Confirm,
): Promise<Screened> {
  const candidates = [...screened.without.keys()].filter(counts);
  const isFinite = (k: number): boolean => Number.isFinite(screened.without[k]);
  const half = (k: number): number => screened.halves?.[k] ?? 0;
  // An estimate is off by more than the rounding, so it says nothing of that.
  const tells = (k: number): boolean => isFinite(k) && half(k) === 0;
  const order = rankBlocks(screened.without).filter((k) => counts(k) && isFinite(k));
  const known = new Map<number, number>();
  // A few errors are needed before anything is certain. Without a finite screen, nothing is known of a candidate.
  const first = exact === 0 ? 0 : Math.max(exact, FIRST + Number(isMeasure) - earlier.freedom);
  let next = [...order.filter(tells).slice(0, first), ...candidates.filter((k) => !isFinite(k))];
  for (;;) {
    const sorted = next.sort((a, b) => a - b);
    const found = await confirm(sorted);
    sorted.forEach((k, i) => known.set(k, found.without[i]));
    const errors = [...known].filter(([k]) => tells(k)).map(([k, value]) => value - screened.without[k]);
    const ofWhole = found.full - screened.full;
    // Of a whole model that is not finite, nothing can be said.
    const withWhole = isMeasure && Number.isFinite(ofWhole) ? errors : [ofWhole, ...errors];
    const margin = marginOf(withWhole, earlier);
    const open = order.filter((k) => !known.has(k));
    const change = (k: number): number => screened.without[k] - screened.full;
    const largest = Math.max(0, ...[...known.keys()].filter(isFinite).map(change));
    const ofOne = (k: number): number => marginAt(margin.margin, change(k), largest);
    const least = (k: number): number => screened.without[k] - half(k) + margin.shift - ofOne(k);
    const limit = lastOf([...known.values()], exact);
    // Written so that NaN counts as undecided.
    next = exact === 0 ? [] : open.filter((k) => !(least(k) > limit)).slice(0, Math.max(2, known.size));
    if (next.length > 0) continue;
    return { ...margin, confirmed: [...known.keys()].sort((a, b) => a - b), marginOf: ofOne };
  }
}

/**
 * The margin of a candidate that costs more than all confirmed ones. The errors of a model that is worse may be larger,
 * so the margin grows with the change of the loss.
 * @param change without the candidate, screened
 * @param largest such change among the confirmed candidates, at least 0
 */
export function marginAt(margin: number, change: number, largest: number): number {
  if (margin === 0 || margin === Infinity) return margin;
  return margin * Math.max(1, (change + GROWTH * margin) / (largest + GROWTH * margin));
}

/** The n-th least value; Infinity if there are fewer finite ones. */
function lastOf(values: readonly number[], n: number): number {
  const finite = values.filter((value) => Number.isFinite(value)).sort((a, b) => a - b);
  return finite[n - 1] ?? Infinity;
}
