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

/** Numbers of one variant, from a row on. */
interface Piece {
  readonly from: number;
  readonly numbers: readonly number[];
}

/** All measures of all variants. */
export class Table {
  private readonly columns = new Map<string, Map<number, Float64Array>>();
  private readonly ofVariants: ReadonlyMap<number, ReadonlySet<string>>;

  /**
   * @param filled in any order
   * @throws TableFault where rectangles overlap, leave a hole or go beyond the rows
   */
  constructor(filled: readonly Filled[], rows: number) {
    // Columns are as long as the rows that a file claims, so first its numbers must be there for all of them.
    for (const [name, variants] of piecesOf(filled)) {
      const columns = new Map<number, Float64Array>();
      for (const [variant, pieces] of variants) {
        pieces.sort((a, b) => a.from - b.from);
        requireWhole(pieces, rows, `${name} of variant ${variant}`);
        const column = new Float64Array(rows);
        for (const { from, numbers } of pieces) column.set(numbers, from);
        columns.set(variant, column);
      }
      this.columns.set(name, columns);
    }
    this.ofVariants = measuresOfVariants(filled);
  }

  /** The names of the measures. */
  get measures(): string[] {
    return [...this.columns.keys()];
  }

  /** Those of a variant, in the order in which it has them. @throws TableFault when it has none */
  measuresOf(variant: number): readonly string[] {
    const found = this.ofVariants.get(variant);
    if (!found) throw new TableFault(`variant ${variant} is missing`);
    return [...found];
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
}

/** By measure and variant. A rectangle without rows has nothing, however many variants it names. */
function piecesOf(filled: readonly Filled[]): Map<string, Map<number, Piece[]>> {
  const pieces = new Map<string, Map<number, Piece[]>>();
  for (const { variants, rows, values } of filled) {
    if (size(rows) === 0) continue;
    for (const [name, numbers] of Object.entries(values)) {
      const ofMeasure = remember(pieces, name, () => new Map<number, Piece[]>());
      for (let variant = variants.from; variant < variants.to; variant++) {
        const at = (variant - variants.from) * size(rows);
        const piece = { from: rows.from, numbers: numbers.slice(at, at + size(rows)) };
        remember(ofMeasure, variant, (): Piece[] => []).push(piece);
      }
    }
  }
  return pieces;
}

function measuresOfVariants(filled: readonly Filled[]): Map<number, Set<string>> {
  const names = new Map<number, Set<string>>();
  for (const { variants, rows, values } of filled) {
    if (size(rows) === 0) continue;
    for (let variant = variants.from; variant < variants.to; variant++) {
      const own = remember(names, variant, () => new Set<string>());
      Object.keys(values).forEach((name) => own.add(name));
    }
  }
  return names;
}

/** @param pieces ascending @throws TableFault unless they are each row once */
function requireWhole(pieces: readonly Piece[], rows: number, of: string): void {
  let next = 0;
  for (const { from, numbers } of pieces) {
    if (from > next) break;
    if (from < next) throw new TableFault(`row ${from} of ${of} is there twice`);
    next += numbers.length;
  }
  if (next > rows) throw new TableFault(`${of} has ${next} rows of ${rows}`);
  if (next !== rows) throw new TableFault(`row ${next} of ${of} is missing`);
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
