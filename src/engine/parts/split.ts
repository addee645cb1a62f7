/**
 * Cuts work into parts of about equal cost: by rows, and where these are fewer than the parts, by candidates too. Pure
 * arithmetic of the work's size, so that every process finds the same shares without asking another.
 */
import { counted } from '../../format/words';
import { UserError } from '../errors';
import type { Part } from './part';

/** From the first up to the one before `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** Work that can be cut: each candidate over each row. */
export interface CuttableWork {
  readonly rows: number;
  /** Rows that are computed in one run. Cuts are between such runs, so a part computes the very products of one process. */
  readonly unit: number;
  readonly candidates: number;
  /**
   * Cost of some candidates for one row, in any unit.
   * @param whole whether the model without any change is measured too
   */
  readonly cost: (candidates: Range, whole: boolean) => number;
}

/** What one part computes: its candidates over its rows, and where `whole`, the model itself over these rows. */
export interface Share {
  readonly rows: Range;
  readonly candidates: Range;
  readonly whole: boolean;
}

/** All of the work. */
export const wholeShare = ({ rows, candidates }: Pick<CuttableWork, 'rows' | 'candidates'>): Share => ({
  rows: { from: 0, to: rows },
  candidates: { from: 0, to: candidates },
  whole: true,
});

export const size = ({ from, to }: Range): number => to - from;

export const numbersIn = ({ from, to }: Range): number[] => Array.from({ length: to - from }, (_, i) => from + i);

/** @throws UserError when there is too little work for so many parts */
export function shareOf(work: CuttableWork, part: Part): Share {
  return splitWork(work, part.of)[part.number - 1];
}

/** The cost of a share. */
export const costOf = ({ cost }: Pick<CuttableWork, 'cost'>, { rows, candidates, whole }: Share): number =>
  size(rows) * cost(candidates, whole);

/**
 * The shares of all parts, in order: rows first, and within the same rows candidates. Of all ways to give the same rows
 * to one, two, three … parts it takes that whose most expensive part costs least; of equal ones that with more pieces of
 * rows, because each candidate's cut repeats the pass of the model itself.
 * @throws UserError when there is too little work for so many parts
 */
export function splitWork(work: CuttableWork, parts: number): Share[] {
  const units = Math.ceil(work.rows / work.unit);
  const most = units * Math.max(1, work.candidates);
  if (parts > most) {
    throw new UserError(
      `The work cannot be cut into ${parts} parts`,
      `it has ${counted(units, 'run')} of rows${work.candidates > 1 ? ` with ${work.candidates} candidates each` : ''}`,
      `Take at most ${counted(most, 'part')}.`,
    );
  }
  const kept = { ...work, cost: remembered(work) };
  const cuts = new Cuts(kept);
  let best: { readonly shares: Share[]; readonly cost: number } | undefined;
  for (const pieces of countsOfPieces(Math.min(parts, units))) {
    if (Math.ceil(parts / pieces) > Math.max(1, work.candidates)) continue;
    const shares = cuts.into(pieces, parts);
    const cost = Math.max(...shares.map((share) => costOf(kept, share)));
    if (best === undefined || cost < best.cost) best = { shares, cost };
  }
  return best!.shares;
}

/** From most to fewest. Of very many, those that change much are tried. */
function countsOfPieces(most: number): number[] {
  const counts: number[] = [];
  for (let pieces = most; pieces >= 1; pieces = Math.min(pieces - 1, Math.floor(pieces * 0.98))) counts.push(pieces);
  return counts;
}

/** Few ranges of candidates are asked for again and again. */
function remembered({ candidates, cost }: CuttableWork): CuttableWork['cost'] {
  const known = new Map<number, number>();
  return (range, whole) => {
    const key = 2 * (range.from * (candidates + 1) + range.to) + Number(whole);
    let found = known.get(key);
    if (found === undefined) known.set(key, (found = cost(range, whole)));
    return found;
  };
}

class Cuts {
  private readonly candidates: CandidateCuts;

  constructor(private readonly work: CuttableWork) {
    this.candidates = new CandidateCuts(work);
  }

  /** Pieces of rows, among which the parts are divided evenly; those with more parts have more rows. */
  into(pieces: number, parts: number): Share[] {
    const { rows, unit } = this.work;
    const units = Math.ceil(rows / unit);
    const shares: Share[] = [];
    let [partsDone, unitsDone] = [0, 0];
    for (let piece = 0; piece < pieces; piece++) {
      const partsAfter = Math.floor(((piece + 1) * parts) / pieces);
      // At least one run for this piece, and one for each that follows.
      const fair = Math.round((units * partsAfter) / parts);
      const unitsAfter = Math.min(Math.max(fair, unitsDone + 1), units - (pieces - piece - 1));
      const range = { from: unitsDone * unit, to: Math.min(rows, unitsAfter * unit) };
      const ranges = this.candidates.into(partsAfter - partsDone);
      shares.push(...ranges.map((candidates, i) => ({ rows: range, candidates, whole: i === 0 })));
      [partsDone, unitsDone] = [partsAfter, unitsAfter];
    }
    return shares;
  }
}

/**
 * Cuts candidates into ranges, none empty, so that the most expensive one costs as little as possible: dynamic programming
 * over "the first k candidates in p ranges". Candidates early in the stack cost more, so their ranges are shorter.
 */
class CandidateCuts {
  /** The least possible maximum of the first k candidates in as many ranges as were tried so far. */
  private least: Float64Array | undefined;
  /** Where the last of 2, 3, … ranges of the first k candidates begins. */
  private readonly starts: Int32Array[] = [];

  constructor(private readonly work: Pick<CuttableWork, 'candidates' | 'cost'>) {}

  into(parts: number): Range[] {
    const ranges: Range[] = [];
    let to = this.work.candidates;
    for (let p = parts; p >= 2; p--) {
      const from = this.start(p)[to];
      ranges.unshift({ from, to });
      to = from;
    }
    return [{ from: 0, to }, ...ranges];
  }

  private start(parts: number): Int32Array {
    const { candidates } = this.work;
    this.least ??= Float64Array.from({ length: candidates + 1 }, (_, k) => (k === 0 ? Infinity : this.cost(0, k)));
    while (this.starts.length < parts - 1) {
      const p = this.starts.length + 2;
      const next = new Float64Array(candidates + 1).fill(Infinity);
      const start = new Int32Array(candidates + 1);
      for (let k = p; k <= candidates; k++) {
        for (let from = p - 1; from < k; from++) {
          const most = Math.max(this.least[from], this.cost(from, k));
          if (most < next[k]) [next[k], start[k]] = [most, from];
        }
      }
      this.starts.push(start);
      this.least = next;
    }
    return this.starts[parts - 2];
  }

  /** Only the first range has the model itself too. */
  private cost(from: number, to: number): number {
    return this.work.cost({ from, to }, from === 0);
  }
}
