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
  const candidates = new CandidateCuts(work);
  let best: { readonly pieces: readonly Piece[]; readonly cost: number } | undefined;
  for (const count of countsOfPieces(Math.min(parts, units))) {
    if (Math.ceil(parts / count) > Math.max(1, work.candidates)) continue;
    const pieces = piecesOf(work, count, parts);
    const cost = pieces.reduce((most, each) => Math.max(most, size(each.rows) * candidates.most(each.parts)), 0);
    if (best === undefined || cost < best.cost) best = { pieces, cost };
  }
  return best!.pieces.flatMap(({ rows, parts: count }) =>
    candidates.into(count).map((range, i) => ({ rows, candidates: range, whole: i === 0 })),
  );
}

/** From most to fewest. Of very many, those that change much are tried. */
function countsOfPieces(most: number): number[] {
  const counts: number[] = [];
  for (let pieces = most; pieces >= 1; pieces = Math.min(pieces - 1, Math.floor(pieces * 0.98))) counts.push(pieces);
  return counts;
}

/** Rows, and how many parts share them. */
interface Piece {
  readonly rows: Range;
  readonly parts: number;
}

/** Pieces of rows, among which the parts are divided evenly; those with more parts have more rows. */
function piecesOf({ rows, unit }: CuttableWork, count: number, parts: number): Piece[] {
  const units = Math.ceil(rows / unit);
  const pieces: Piece[] = [];
  let [partsDone, unitsDone] = [0, 0];
  for (let piece = 0; piece < count; piece++) {
    const partsAfter = Math.floor(((piece + 1) * parts) / count);
    // At least one run for this piece, and one for each that follows.
    const fair = Math.round((units * partsAfter) / parts);
    const unitsAfter = Math.min(Math.max(fair, unitsDone + 1), units - (count - piece - 1));
    const range = { from: unitsDone * unit, to: Math.min(rows, unitsAfter * unit) };
    pieces.push({ rows: range, parts: partsAfter - partsDone });
    [partsDone, unitsDone] = [partsAfter, unitsAfter];
  }
  return pieces;
}

/**
 * Cuts candidates into ranges, none empty, so that the most expensive one costs as little as possible: dynamic programming
 * over "the first k candidates in p ranges". Candidates early in the stack cost more, so their ranges are shorter.
 */
class CandidateCuts {
  /** [p - 1][k]: the least possible maximum of the first k candidates in p ranges. */
  private readonly least: Float64Array[] = [];
  /** [p - 1][k]: where the last of p ranges of the first k candidates begins. */
  private readonly starts: Int32Array[] = [];
  /** [from][to], as far as they were asked for. */
  private readonly costs: Float64Array;

  constructor(private readonly work: Pick<CuttableWork, 'candidates' | 'cost'>) {
    const { candidates } = work;
    this.costs = new Float64Array((candidates + 1) ** 2).fill(NaN);
  }

  into(parts: number): Range[] {
    this.fill(parts);
    const ranges: Range[] = [];
    let to = this.work.candidates;
    for (let p = parts; p >= 1; p--) {
      const from = this.starts[p - 1][to];
      ranges.unshift({ from, to });
      to = from;
    }
    return ranges;
  }

  /** The cost of the most expensive of these ranges, for one row. */
  most(parts: number): number {
    this.fill(parts);
    return this.least[parts - 1][this.work.candidates];
  }

  private fill(parts: number): void {
    const { candidates } = this.work;
    while (this.least.length < parts) {
      const before = this.least.at(-1);
      const least = new Float64Array(candidates + 1).fill(Infinity);
      const start = new Int32Array(candidates + 1);
      if (!before) for (let k = 0; k <= candidates; k++) least[k] = this.cost(0, k);
      else for (let k = this.least.length + 1; k <= candidates; k++) this.last(before, k, least, start);
      this.least.push(least);
      this.starts.push(start);
    }
  }

  /** Tries every start of the last range of the first k candidates. */
  private last(before: Float64Array, k: number, least: Float64Array, start: Int32Array): void {
    // From the shortest: a longer one costs more, so the first that costs more than the best found so far is the end.
    for (let from = k - 1; from >= this.least.length; from--) {
      const own = this.cost(from, k);
      if (own > least[k]) return;
      const most = Math.max(before[from], own);
      if (most <= least[k]) [least[k], start[k]] = [most, from];
    }
  }

  /** Only the first range has the model itself too. */
  private cost(from: number, to: number): number {
    const at = from * (this.work.candidates + 1) + to;
    if (Number.isNaN(this.costs[at])) this.costs[at] = this.work.cost({ from, to }, from === 0);
    return this.costs[at];
  }
}
