/** The rows of a healing: which are fitted, which choose the ridge, and which are measured. */
import type { TokenRows } from '../model/forward';

export interface RowGroup {
  readonly rows: TokenRows;
  /** "choose": fitted too, but held back while the ridge is chosen. */
  readonly use: 'fit' | 'choose' | 'none';
  readonly measure: 'fit' | 'heldOut' | undefined;
}

/** Every fifth row chooses the ridge. */
const FIFTH = 5;

/**
 * Rows with the same role together. If rows are held out, as many fitted ones are measured, spread over all of them;
 * otherwise every fitted row is.
 * @param choose whether some rows choose the ridge
 */
export function groupRows(rows: TokenRows, heldOut: TokenRows, choose: boolean): RowGroup[] {
  const measured = new Set(
    heldOut.length === 0
      ? rows.keys()
      : Array.from({ length: Math.min(rows.length, heldOut.length) }, (_, i) =>
          Math.floor((i * rows.length) / Math.min(rows.length, heldOut.length)),
        ),
  );
  const groups: RowGroup[] = [];
  for (const use of ['fit', 'choose'] as const) {
    for (const measure of ['fit', undefined] as const) {
      const some = rows.filter(
        (_, r) => (choose && r % FIFTH === FIFTH - 1) === (use === 'choose') && measured.has(r) === (measure === 'fit'),
      );
      groups.push({ rows: some, use, measure });
    }
  }
  groups.push({ rows: heldOut, use: 'none', measure: 'heldOut' });
  return groups.filter((group) => group.rows.length > 0);
}
