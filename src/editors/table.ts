/** The tensor table: filters, sorts and pages rows. */
import type { TableQuery, TensorColumn, TensorRow } from '../protocol/editor';
import { placesIn } from '../state/model-tensors';

/** Limit of rows in one message. A page shows fewer. */
const MAX_ROWS = 200;

export interface TablePage {
  readonly start: number;
  readonly rows: readonly TensorRow[];
  readonly total: number;
}

export class TensorTable {
  /** The rows of the last query. Scrolling asks for many pages of one query. */
  private last: { readonly key: string; readonly rows: readonly TensorRow[] } | undefined;

  private readonly placeOf: PlaceOf;

  /** @param rows in the order of the file */
  constructor(private readonly rows: readonly TensorRow[]) {
    this.placeOf = placesIn(rows);
  }

  /** Rows [start, end) of the query, in its order. */
  page(query: TableQuery, start: number, end: number): TablePage {
    const rows = this.select(query);
    const from = Math.min(Math.max(0, Math.floor(start)), rows.length);
    const to = Math.min(Math.max(from, Math.floor(end)), from + MAX_ROWS);
    return { start: from, rows: rows.slice(from, to), total: rows.length };
  }

  /** The rows of the query as tab-separated values, after a line with the column names. */
  copy(query: TableQuery): string {
    return [COLUMNS.join('\t'), ...this.select(query).map(rowText)].join('\n');
  }

  private select(query: TableQuery): readonly TensorRow[] {
    const key = JSON.stringify(query);
    if (this.last?.key === key) return this.last.rows;
    const matches = matcher(query.filter, this.placeOf);
    const rows = this.rows.filter(matches);
    if (query.sort) rows.sort(order(query.sort));
    this.last = { key, rows };
    return rows;
  }
}

type PlaceOf = ReturnType<typeof placesIn>;

const COLUMNS: readonly TensorColumn[] = ['name', 'dtype', 'shape', 'elements', 'bytes', 'offset', 'file'];

const rowText = (row: TensorRow): string =>
  [row.name, row.dtype, `[${row.shape.join(', ')}]`, row.elements, row.bytes, row.offset ?? '', row.file].join('\t');

const collator = new Intl.Collator('en', { numeric: true });

function order({ column, descending }: NonNullable<TableQuery['sort']>): (a: TensorRow, b: TensorRow) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => sign * compare(a, b, column);
}

/** Compares names by the numbers in them: block 2 comes before block 10. */
function compare(a: TensorRow, b: TensorRow, column: TensorColumn): number {
  if (column === 'shape') return collator.compare(a.shape.join(' '), b.shape.join(' '));
  if (column === 'name' || column === 'dtype' || column === 'file') return collator.compare(a[column], b[column]);
  return (a[column] ?? -1) - (b[column] ?? -1);
}

/** A row matches if every word of the filter matches (see `TableQuery`). */
function matcher(filter: string, placeOf: PlaceOf): (row: TensorRow) => boolean {
  const tests = filter
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((word) => wordTest(word, placeOf));
  return (row) => tests.every((test) => test(row));
}

function wordTest(word: string, placeOf: PlaceOf): (row: TensorRow) => boolean {
  const [, key, wanted] = /^(dtype|block|part|file):(.+)$/.exec(word) ?? [];
  switch (key) {
    case 'dtype':
      return ({ dtype }) => dtype.toLowerCase() === wanted;
    case 'file':
      return ({ file }) => file.toLowerCase().includes(wanted);
    case 'block':
      return (row) => placeOf(row).block === Number(wanted);
    case 'part':
      return (row) => placeOf(row).kind === wanted;
    default:
      return ({ name }) => name.toLowerCase().includes(word);
  }
}
