/** Groups of rows and candidates whose hidden states fit into memory. Pure: it loads nothing that computes. */
import type { TokenRows } from '../model/forward';

/** Some rows, and the candidates whose variants are computed together over them. */
export interface Group {
  readonly firstRow: number;
  readonly rows: TokenRows;
  readonly candidates: readonly number[];
}

/**
 * Cuts the work into groups whose hidden states fit the budget: by rows, and if the variants of a single row do not
 * fit, by variants too.
 * @param others states of a row that exist beside those of the model and its variants
 */
export function groupWork(
  rows: TokenRows,
  candidates: readonly number[],
  rowBytes: number,
  budget: number,
  others = 0,
): Group[] {
  const fitting = Math.floor(budget / rowBytes) - others; // states of one row
  const perGroup = Math.max(1, Math.min(candidates.length, fitting - 1));
  const rowsPerGroup = Math.max(1, Math.floor(Math.floor(budget / rowBytes) / (perGroup + 1 + others)));
  const pieces = Math.ceil(rows.length / rowsPerGroup);
  const even = Math.ceil(rows.length / pieces);
  const groups: Group[] = [];
  for (let firstRow = 0; firstRow < rows.length; firstRow += even) {
    const some = rows.slice(firstRow, firstRow + even);
    for (let c = 0; c < Math.max(1, candidates.length); c += perGroup) {
      groups.push({ firstRow, rows: some, candidates: candidates.slice(c, c + perGroup) });
    }
  }
  return groups;
}
