/**
 * What parts measure: a table with a number, or several, for every variant of the model and every row. A part fills
 * rectangles of it. A mean over rows is taken only from the complete table, row by row in their order, so it has the same
 * bits whoever filled which rectangle.
 */
import { isObject, parseJsonNumber } from '../../format/json';
import { type Range, size } from './split';

/** A filled rectangle. */
export interface Filled {
  readonly variants: Range;
  readonly rows: Range;
  /** By the name of the measure, variant by variant: (variants · rows). */
  readonly values: Readonly<Record<string, readonly number[]>>;
}

/** A table that is not complete, or filled twice. */
export class TableFault extends Error {}

/** One measure of the whole table. */
export class Table {
  private readonly columns = new Map<string, Map<number, Float64Array>>();

  /**
   * @param filled in any order
   * @throws TableFault where rectangles overlap or go beyond the rows
   */
  constructor(
    filled: readonly Filled[],
    private readonly rows: number,
  ) {
    const seen = new Map<string, Uint8Array>();
    for (const { variants, rows: range, values } of filled) {
      if (range.from < 0 || range.to > rows) throw new TableFault(`rows ${range.from} to ${range.to} of ${rows}`);
      for (const [name, numbers] of Object.entries(values)) {
        for (let variant = variants.from; variant < variants.to; variant++) {
          const at = (variant - variants.from) * size(range);
          const marks = remember(seen, `${name} ${variant}`, () => new Uint8Array(rows));
          if (marks.subarray(range.from, range.to).some((mark) => mark === 1)) {
            throw new TableFault(`${name} of variant ${variant} is there twice`);
          }
          marks.fill(1, range.from, range.to);
          const ofMeasure = remember(this.columns, name, () => new Map<number, Float64Array>());
          const column = remember(ofMeasure, variant, () => new Float64Array(rows).fill(NaN));
          column.set(numbers.slice(at, at + size(range)), range.from);
        }
      }
    }
    for (const [key, marks] of seen)
      if (marks.includes(0)) throw new TableFault(`${key} lacks row ${marks.indexOf(0)}`);
  }

  /** The names of the measures. */
  get measures(): string[] {
    return [...this.columns.keys()];
  }

  /** A number for each row. @throws TableFault when the measure is missing */
  column(measure: string, variant: number): Float64Array {
    const found = this.columns.get(measure)?.get(variant);
    if (!found) throw new TableFault(`${measure} of variant ${variant} is missing`);
    return found;
  }

  /** Whether a variant has the measure. */
  has(measure: string, variant: number): boolean {
    return this.columns.get(measure)?.has(variant) ?? false;
  }

  get rowCount(): number {
    return this.rows;
  }
}

/** Rectangles of one measure and range of rows, from numbers of each variant. @param first variant */
export function filledFrom(
  first: number,
  rows: Range,
  variants: readonly Readonly<Record<string, ArrayLike<number>>>[],
): Filled[] {
  if (variants.length === 0) return [];
  const names = Object.keys(variants[0]);
  const values = Object.fromEntries(names.map((name) => [name, variants.flatMap((each) => Array.from(each[name]))]));
  return [{ variants: { from: first, to: first + variants.length }, rows, values }];
}

/** The rectangle that a JSON value is; undefined if it is none. Numbers that JSON lacks are their names. */
export function filledIn(value: unknown): Filled | undefined {
  if (!isObject(value) || !isObject(value.values)) return undefined;
  const [variants, rows] = [rangeIn(value.variants), rangeIn(value.rows)];
  if (!variants || !rows) return undefined;
  const values: Record<string, number[]> = {};
  for (const [name, list] of Object.entries(value.values)) {
    if (!Array.isArray(list) || list.length !== size(variants) * size(rows)) return undefined;
    const numbers = list.map(parseJsonNumber);
    if (!numbers.every((number) => number !== undefined)) return undefined;
    values[name] = numbers;
  }
  return { variants, rows, values };
}

function rangeIn(value: unknown): Range | undefined {
  if (!isObject(value)) return undefined;
  const { from, to } = value;
  const isIndex = (n: unknown): n is number => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0;
  return isIndex(from) && isIndex(to) && to >= from ? { from, to } : undefined;
}

function remember<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let found = map.get(key);
  if (found === undefined) map.set(key, (found = make()));
  return found;
}
