/** A table of a recipe's report: rows and columns of numbers that steps measured, with those of a paper beside them. */
import { isObject } from '../format/json';
import type { Json } from './recipe';

export interface RecipeTable {
  readonly title: string;
  readonly note?: string;
  /** Headings of the values, without that of the rows. */
  readonly columns: readonly string[];
  readonly rows: readonly RecipeRow[];
  /** Where the numbers of the paper come from: "Shortened LLaMA, Table 2, LLaMA-7B". */
  readonly paper?: string;
  /** Draws the columns against the first one, or as bars by rows. */
  readonly chart?: 'lines' | 'bars';
}

export interface RecipeRow {
  readonly label: string;
  /** One for each column: a number, or a text that names a result, `${steps.quality.ppl}`; null for an empty cell. */
  readonly cells: readonly Json[];
  /** The paper's numbers for the same columns. */
  readonly paper?: readonly Json[];
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

const isText = (value: unknown): boolean => typeof value === 'string';

function faultsOf(table: unknown): TableFault[] {
  if (!isObject(table) || !isText(table.title)) {
    return [{ path: [], why: 'a table needs a title', action: 'Add "title".' }];
  }
  const { columns, rows } = table;
  if (!Array.isArray(columns) || !columns.every(isText)) {
    return [{ path: ['columns'], why: 'columns must be a list of headings', action: 'Write ["perplexity", …].' }];
  }
  if (!Array.isArray(rows))
    return [{ path: ['rows'], why: 'rows must be a list', action: 'Write [{"label": …, "cells": […]}].' }];
  return rows.flatMap((row: unknown, at): TableFault[] => {
    const path = ['rows', at];
    if (!isObject(row) || !isText(row.label) || !Array.isArray(row.cells)) {
      return [{ path, why: 'a row has a label and cells', action: 'Write {"label": …, "cells": […]}.' }];
    }
    const wrong = [row.cells, row.paper ?? columns].some(
      (each) => !Array.isArray(each) || each.length !== columns.length,
    );
    return wrong
      ? [
          {
            path,
            why: `the row needs ${columns.length} cells, one for each column`,
            action: 'Use null for an empty one.',
          },
        ]
      : [];
  });
}
