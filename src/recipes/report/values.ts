/** The tables of a recipe with their values in place, as text. All numbers come from the results of the steps. */
import { parseJsonNumber } from '../../format/json';
import { formatBytes, formatCount, shortCount, shortNumber } from '../../format/numbers';
import { blockList } from '../../jobs/facts';
import { below, fieldOf } from '../fields';
import type { Json } from '../recipe';
import { type Reference, substitute } from '../references';
import { type ColumnFormat, isEach, type RecipeRow, type RecipeTable } from '../table';
import type { RecipeEnd } from '../types';

/** What stands where there is no value: its step did not run, or its result lacks it. */
const MISSING = '—';

/** A value of a table. */
export interface ShownCell {
  readonly text: string;
  /** For a chart, in the unit of the text; null for what is no number. */
  readonly value: number | null;
}

export interface ShownRow {
  readonly label: string;
  readonly cells: readonly ShownCell[];
  /** The paper's numbers, as it prints them; undefined for a row without. */
  readonly paper?: readonly string[];
  readonly line?: string;
}

export interface ShownTable extends Pick<RecipeTable, 'chart'> {
  readonly title: string;
  readonly note?: string;
  readonly columns: readonly string[];
  readonly rows: readonly ShownRow[];
  /** Whose the paper's numbers are. */
  readonly paper?: string;
}

/** The tables of a recipe that ran, also of one that did not come to its end. */
export function tableValues(end: RecipeEnd): ShownTable[] {
  const values = new Values(end);
  return end.recipe.tables.map((table) => {
    const { title, note, paper, columns, rows, chart } = table;
    return {
      title: values.text(title),
      ...(note !== undefined && { note: values.text(note) }),
      ...(paper !== undefined && { paper: values.text(paper) }),
      ...(chart !== undefined && { chart }),
      columns: columns.map((column) => values.text(typeof column === 'string' ? column : column.title)),
      rows: rows.flatMap((row) => shownRows(row, table, values)),
    };
  });
}

/** One row, or one for each item of its list. */
function shownRows(row: RecipeRow, { columns }: RecipeTable, values: Values): ShownRow[] {
  const formats = columns.map((column) => (typeof column === 'string' ? 'number' : (column.as ?? 'number')));
  const { label, cells, paper, each, line } = row;
  const shown = (own: Values): ShownRow => ({
    label: own.text(label),
    cells: cells.map((cell, at) => own.cell(cell, formats[at])),
    ...(paper && { paper: paper.map(printed) }),
    ...(line !== undefined && { line: own.text(line) }),
  });
  if (each === undefined) return [shown(values)];
  const items = values.value(each);
  return Array.isArray(items) ? items.map((item: Json) => shown(values.with(item))) : [];
}

/** A number of the paper. */
function printed(value: Json): string {
  if (value === null) return MISSING;
  return typeof value === 'number' ? value.toLocaleString('en-US', { maximumFractionDigits: 6 }) : asText(value);
}

/** Values of references after a run. */
class Values {
  constructor(
    private readonly end: RecipeEnd,
    private readonly item?: Json,
  ) {}

  /** With an item of a repeated row. */
  with(item: Json): Values {
    return new Values(this.end, item);
  }

  /** A value with its references replaced; undefined if one has no value. */
  value(written: Json): Json | undefined {
    return this.substituted(written, (reference) => this.valueOf(reference));
  }

  /** A text for people: what is missing in it is a dash. */
  text(written: string): string {
    return asText(substitute(written, (reference) => shownValue(this.valueOf(reference) ?? null, 'number').text));
  }

  cell(written: Json, format: ColumnFormat): ShownCell {
    if (typeof written !== 'string') return shownValue(written, format);
    if (/^\$\{[^{}]*\}$/.test(written)) return shownValue(this.value(written) ?? null, format);
    const text = this.substituted(written, (reference) => {
      const value = this.valueOf(reference);
      return value === undefined ? undefined : shownValue(value, format).text;
    });
    return { text: typeof text === 'string' ? text : MISSING, value: null };
  }

  private substituted(written: Json, valueOf: (reference: Reference) => Json | undefined): Json | undefined {
    let isMissing = false;
    const found = substitute(written, (reference) => {
      const value = valueOf(reference);
      isMissing ||= value === undefined;
      return value ?? null;
    });
    return isMissing ? undefined : found;
  }

  private valueOf(reference: Reference): Json | undefined {
    if (reference.kind === 'variable') return this.variable(reference.name);
    const step = this.end.steps.find(({ name }) => name === reference.step);
    return step?.finished && fieldOf(step.finished, step.result, reference.fields);
  }

  private variable(name: string): Json | undefined {
    if (isEach(name)) return below(this.item, name.split('.').slice(1));
    if (name === 'model') return this.end.model;
    const { variables } = this.end;
    return Object.hasOwn(variables, name) ? variables[name] : undefined;
  }
}

const asText = (value: Json): string => (typeof value === 'string' ? value : JSON.stringify(value));

const GiB = 2 ** 30;

/** How a number of each format is written, and drawn. */
const NUMBERS: Readonly<Record<Exclude<ColumnFormat, 'blocks'>, (value: number) => ShownCell>> = {
  number: (value) => ({ text: shortNumber(value), value }),
  percent: (value) => ({ text: (100 * value).toFixed(1), value: 100 * value }),
  count: (value) => ({ text: formatCount(value), value }),
  parameters: (value) => ({ text: shortCount(value), value }),
  bytes: (value) => ({ text: formatBytes(value), value }),
  GiB: (value) => ({ text: (value / GiB).toFixed(2), value: value / GiB }),
  seconds: (value) => ({ text: shortNumber(value, 3), value }),
};

function shownValue(value: Json, format: ColumnFormat): ShownCell {
  const number = parseJsonNumber(value);
  if (number !== undefined) {
    if (Number.isFinite(number)) return NUMBERS[format === 'blocks' ? 'number' : format](number);
    return { text: shortNumber(number), value: null };
  }
  if (Array.isArray(value)) return { text: listOf(value as readonly Json[], format), value: null };
  const text = typeof value === 'string' ? value : typeof value === 'boolean' ? String(value) : MISSING;
  return { text, value: null };
}

function listOf(items: readonly Json[], format: ColumnFormat): string {
  if (items.some((item) => typeof item === 'object')) return MISSING;
  if (format === 'blocks') return blockList(items);
  return items.map((item) => shownValue(item, 'number').text).join(', ');
}
