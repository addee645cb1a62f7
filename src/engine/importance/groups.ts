/** Groups of rows and candidates whose hidden states fit into memory. Pure: it loads nothing that computes. */
import { rowsPerRun } from '../model/cost';
import type { TokenRows } from '../model/forward';

/** Some rows, and the candidates whose variants are computed together over them. */
export interface Group {
  readonly firstRow: number;
  readonly rows: TokenRows;
  readonly candidates: readonly number[];
}

/**
 * Cuts the work into groups whose hidden states fit the budget: by rows, between runs, and if the variants of a single run
 * do not fit, by variants too. So every run is the same product whatever the budget is. Only where not even a run of the
 * model and one variant fits are there groups of fewer rows.
 * @param others states of a row that exist beside those of the model and its variants
 * @param unit rows of a run
 */
export function groupWork(
  rows: TokenRows,
  candidates: readonly number[],
  rowBytes: number,
  budget: number,
  others = 0,
  unit = rowsPerRun(rows[0].length),
): Group[] {
  const least = Math.min(1, candidates.length) + 1 + others;
  const fitting = Math.floor(budget / rowBytes); // states of one row
  const run = Math.min(unit, rows.length);
  const together = fitting >= run * least ? run : 1; // rows that are never in two groups
  const perGroup = Math.max(1, Math.min(candidates.length, Math.floor(fitting / together) - others - 1));
  const most = Math.max(1, Math.floor(fitting / (together * (perGroup + 1 + others))));
  const all = Math.ceil(rows.length / together);
  const even = Math.ceil(all / Math.ceil(all / most)) * together;
  const groups: Group[] = [];
  for (let firstRow = 0; firstRow < rows.length; firstRow += even) {
    const some = rows.slice(firstRow, firstRow + even);
    for (let c = 0; c < Math.max(1, candidates.length); c += perGroup) {
      groups.push({ firstRow, rows: some, candidates: candidates.slice(c, c + perGroup) });
    }
  }
  return groups;
}
