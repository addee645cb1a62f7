/** A table of a recipe's report: rows and columns of numbers that steps measured, with those of a paper beside them. */
import { isObject } from '../format/json';
import type { Json } from './recipe';
import { referencesIn } from './references';

/** How the values of a column are written. A share is written in percent, as papers do. */
export const COLUMN_FORMATS = {
  number: 'a number in few digits',
  percent: 'a share of 1 in percent: 0.513 is 51.3',
  count: 'a whole number with its digits in groups',
  parameters: 'a number of parameters: 134.5M',
  bytes: 'bytes: 269.1 MB',
  GiB: 'bytes in GiB: 12.80',
  seconds: 'seconds',
  blocks: 'a list of blocks: 10,12-14',
} as const;

export type ColumnFormat = keyof typeof COLUMN_FORMATS;

/** The heading of a column, which may name variables and results. */
export type RecipeColumn = string | { readonly title: string; readonly as?: ColumnFormat };

export interface RecipeTable {
  readonly title: string;
  readonly note?: string;
  /** Headings of the values, without that of the rows. */
  readonly columns: readonly RecipeColumn[];
  readonly rows: readonly RecipeRow[];
  /** Where the numbers of the paper come from: "Shortened LLaMA, Table 2, LLaMA-7B". */
  readonly paper?: string;
  /** Draws each further column against the first one, or each column as bars by rows. */
  readonly chart?: 'lines' | 'bars';
}

export interface RecipeRow {
  readonly label: string;
  /** One for each column: a number, or a text that names a result, `${steps.quality.ppl}`; null for an empty cell. */
  readonly cells: readonly Json[];
  /** The paper's numbers for the same columns, as it prints them. */
  readonly paper?: readonly Json[];
  /** A list, `${steps.scores.blocks}`: the row is repeated for each item, which label and cells name: `${each.score}`. */
  readonly each?: string;
  /** Of a chart of lines: rows with the same name are the points of one line. */
  readonly line?: string;
}

export interface TableFault {
  /** Below `tables`. */
  readonly path: readonly (string | number)[];
  readonly why: string;
  readonly action: string;
}

/** What is wrong with the tables of a recipe; references in cells are checked with the steps. */
export function faultsOfTables(tables: unknown): TableFault[] {
  if (!Array.isArray(tables)) return [{ path: [], why: 'they must be a list', action: 'Write [{"title": …}].' }];
  return tables.flatMap((table: unknown, at) =>
    faultsOf(table).map((fault) => ({ ...fault, path: [at, ...fault.path] })),
  );
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextOrNone = (value: unknown): boolean => value === undefined || isText(value);
const isFormat = (value: unknown): boolean => isText(value) && Object.hasOwn(COLUMN_FORMATS, value);

const TABLE_FIELDS: readonly string[] = ['title', 'note', 'columns', 'rows', 'paper', 'chart'];
const ROW_FIELDS: readonly string[] = ['label', 'cells', 'paper', 'each', 'line'];

function faultsOf(table: unknown): TableFault[] {
  if (!isObject(table) || !isText(table.title)) {
    return [{ path: [], why: 'a table needs a title', action: 'Add "title".' }];
  }
  const { columns, rows, chart, note, paper } = table;
  if (!Array.isArray(columns) || columns.length === 0 || !columns.every(isColumn)) {
    const formats = Object.keys(COLUMN_FORMATS).join(', ');
    const why = `columns must be a list of headings, or of {"title": …, "as": …} with one of ${formats}`;
    return [{ path: ['columns'], why, action: 'Write ["perplexity", …].' }];
  }
  if (!Array.isArray(rows)) {
    return [{ path: ['rows'], why: 'rows must be a list', action: 'Write [{"label": …, "cells": […]}].' }];
  }
  return [
    ...strange(table, TABLE_FIELDS, [], 'table'),
    ...(isTextOrNone(note) && isTextOrNone(paper)
      ? []
      : [{ path: [], why: '“note” and “paper” must be texts', action: 'Put them in quotes.' }]),
    ...(chart === undefined || chart === 'lines' || chart === 'bars'
      ? []
      : [{ path: ['chart'], why: 'a chart has lines or bars', action: 'Write "lines" or "bars".' }]),
    ...rows.flatMap((row: unknown, at) => rowFaults(row, ['rows', at], columns.length)),
  ];
}

const isColumn = (column: unknown): boolean =>
  isText(column) || (isObject(column) && isText(column.title) && (column.as === undefined || isFormat(column.as)));

const strange = (
  value: Readonly<Record<string, unknown>>,
  known: readonly string[],
  path: TableFault['path'],
  what: string,
): TableFault[] =>
  Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) => ({ path: [...path, name], why: `a ${what} has ${known.join(', ')}`, action: 'Leave it out.' }));

function rowFaults(row: unknown, path: TableFault['path'], columns: number): TableFault[] {
  if (!isObject(row) || !isText(row.label) || !Array.isArray(row.cells)) {
    return [{ path, why: 'a row has a label and cells', action: 'Write {"label": …, "cells": […]}.' }];
  }
  const { cells, paper, each, line, label } = row;
  const uneven = [cells, paper].some((list) => list !== undefined && (!Array.isArray(list) || list.length !== columns));
  if (uneven) {
    const why = `the row needs ${columns} cells, one for each column`;
    return [{ path, why, action: 'Use null for an empty one.' }];
  }
  if (!isTextOrNone(each) || !isTextOrNone(line)) {
    return [{ path, why: '“each” and “line” must be texts', action: 'Put them in quotes.' }];
  }
  const lost = each === undefined && namesEach([label, cells]);
  return [
    ...strange(row, ROW_FIELDS, path, 'row'),
    ...(lost ? [{ path, why: '“${each…}” is named, and the row has no “each”', action: 'Add the list.' }] : []),
  ];
}

/** Whether a reference names the item of a repeated row: `${each}` or `${each.FIELD}`. */
export const isEach = (name: string): boolean => name === 'each' || name.startsWith('each.');

const namesEach = (value: unknown): boolean =>
  referencesIn(value).some((reference) => reference.kind === 'variable' && isEach(reference.name));
