/** A sweep in two precisions: all candidates in that of the screen, and those that matter in float32. */
import { inPhases, type JobOptions, labelled } from '../progress';
import { exactShare, type ScreenedWork } from './cost';
import type { Spread } from './margin';
import type { Precision } from '../precision';
import type { ScreenSummary } from './result';
import { screen, type Screened } from './screen';
import type { Dropped } from './raced-sweep';
import { SweepMemory } from './sweep-memory';
import type { Model } from '../model/model';

/** The precision of a screen, and what it leaves to float32. */
export interface Screening {
  /** The scored model in the precision of the screen, over the same weights. */
  readonly model: Model;
  /** How many of the least important candidates are wanted in float32; a third when undefined. */
  readonly exact?: number;
  /** Blocks that cannot be chosen: they are never computed in float32. */
  readonly kept?: ReadonlySet<number>;
}

/** The numbers of the model, and without each candidate. */
export interface Swept<T> {
  readonly full: T;
  readonly without: readonly T[];
  /** The candidates that dropped out of a race: their numbers are of the first rows. */
  readonly out?: ReadonlyMap<number, Dropped>;
}

/** A sweep over some rows and steps. */
export type SweepOf<T> = (candidates: readonly number[], job: JobOptions, memory: SweepMemory<T>) => Promise<Swept<T>>;

export interface Sweeps<T> {
  readonly screen: SweepOf<T>;
  readonly exact: SweepOf<T>;
  /** What decides, in nats. */
  readonly number: (value: T) => number;
}

export interface SweepScope<T> {
  readonly candidates: readonly number[];
  readonly exact: number;
  /** Whether a candidate counts; all when undefined. */
  readonly counts?: (candidate: number) => boolean;
  readonly work: ScreenedWork;
  /** Errors of earlier screens. */
  readonly earlier?: Spread;
  /** What is measured is the distance from the whole model, which has no error then. */
  readonly isMeasure?: boolean;
  /** The numbers of the model, where they are known. */
  readonly known?: { readonly screen: T; readonly exact: T };
}

export interface ScreenedSweep<T> extends Screened {
  /** Of the model, in float32. */
  readonly full: T;
  /** The candidates that dropped out of the screen's race. */
  readonly out: ReadonlyMap<number, Dropped>;
  /** In float32, by candidate. */
  readonly exact: ReadonlyMap<number, T>;
  /** In the precision of the screen: of the model, and by candidate. */
  readonly screened: { readonly full: T; readonly without: ReadonlyMap<number, T> };
}

/** @throws what the sweeps throw */
export async function screenedSweep<T>(
  { screen: rough, exact: precise, number }: Sweeps<T>,
  { candidates, exact: wanted, counts = () => true, work, earlier, isMeasure, known }: SweepScope<T>,
  job: JobOptions,
): Promise<ScreenedSweep<T>> {
  const phases = inPhases(job, [{ share: work.screen }, { share: work.exact }, { share: work.further, unpaced: true }]);
  const first = await rough(
    candidates,
    labelled(phases[0], 'screening in int8'),
    new SweepMemory<T>(known?.screen, false),
  );
  const { out = new Map<number, Dropped>() } = first;
  const numbers = {
    full: number(first.full),
    without: first.without.map((value, i) => out.get(candidates[i])?.mean ?? number(value)),
    halves: candidates.map((candidate) => out.get(candidate)?.half ?? 0),
  };
  const memory = new SweepMemory<T>(known?.exact);
  const exact = new Map<number, T>();
  let batch = 1;
  try {
    const options = { exact: wanted, counts: (i: number) => counts(candidates[i]), earlier, isMeasure };
    const found = await screen(numbers, options, async (some) => {
      const few = some.map((i) => candidates[i]);
      const { full, without } = await precise(few, labelled(phases[Math.min(batch++, 2)], 'exact'), memory);
      few.forEach((candidate, i) => exact.set(candidate, without[i]));
      return { full: number(full), without: without.map(number) };
    });
    phases[2].onProgress?.({ label: 'exact, done', done: 1, total: 1, unit: 'share' });
    return {
      ...found,
      confirmed: found.confirmed.map((i) => candidates[i]),
      marginOf: (candidate) => found.marginOf(candidates.indexOf(candidate)),
      full: memory.full!,
      out,
      exact,
      screened: { full: first.full, without: new Map(candidates.map((candidate, i) => [candidate, first.without[i]])) },
    };
  } finally {
    memory.forget();
  }
}

/** The same function, which computes each summary once. */
export function remembered<T extends object, S>(summary: (value: T) => S): (value: T) => S {
  const known = new Map<T, S>();
  return (value) => {
    let found = known.get(value);
    if (found === undefined) known.set(value, (found = summary(value)));
    return found;
  };
}

/** How many candidates a screening leaves to float32. */
export const exactCount = (candidates: number, { exact }: Pick<Screening, 'exact'>): number =>
  Math.min(exact ?? exactShare(candidates), candidates);

/** What is told of a screen beside the numbers. */
export function screenSummary(exact: number, { confirmed, margin }: Screened, { precision }: Model): ScreenSummary {
  return { precision, exact, confirmed: confirmed.length, ...(Number.isFinite(margin) && { margin }) };
}

/** Says of a score in which precision it is, and how far off it may be. */
export const precisionOf = <T>(
  sweep: ScreenedSweep<T>,
  candidate: number,
  exact: Model,
  screen: Model,
): { readonly precision: Precision; readonly margin?: number } =>
  sweep.exact.has(candidate)
    ? { precision: exact.precision }
    : { precision: screen.precision, margin: sweep.marginOf(candidate) };

/**
 * Means of rows of a screened candidate, moved to where float32 has them: by the whole model's own difference in each
 * row, and by what the confirmed candidates differ on average besides. So their mean is the screened mean plus the shift.
 * @param rowsOf means of the rows of a model
 * @param isMeasure as in the scope of the sweep
 */
export function alignedRows<T>(
  { full, exact, out, screened }: ScreenedSweep<T>,
  candidate: number,
  rowsOf: (value: T) => readonly number[],
  isMeasure = false,
): number[] {
  const [whole, rough] = [rowsOf(full), rowsOf(screened.full)];
  const mean = (rows: readonly number[]): number => rows.reduce((sum, row) => sum + row, 0) / rows.length;
  const ofFull = mean(whole) - mean(rough);
  const errors = [...exact]
    .filter(([k]) => !out.has(k))
    .map(([k, value]) => mean(rowsOf(value)) - mean(rowsOf(screened.without.get(k)!)))
    .filter((error) => Number.isFinite(error));
  const all = isMeasure && errors.length > 0 ? errors : [ofFull, ...errors];
  const shift = all.reduce((sum, error) => sum + error, 0) / all.length;
  return rowsOf(screened.without.get(candidate)!).map((row, r) => row + whole[r] - rough[r] + shift - ofFull);
}
