/** Tables: the numbers of charts, and other tables of the panel. */
import { type Child, el } from '../../support/dom';
import { t } from '../../support/l10n';
import { formatCount, shortNumber } from '../../../src/format/numbers';

/** A word, a number as it was measured, or nothing. The page rounds numbers; a file does not. */
export type Cell = string | number | null;

/** Numbers to show or to export. */
export interface Numbers {
  readonly head: readonly string[];
  /** Called only when the table is open or exported, because there may be thousands of rows. */
  readonly rows: () => readonly (readonly Cell[])[];
}

/** A column of a table, and what a thing has there. */
export type Column<T> = readonly [name: string, cell: (thing: T) => Cell];

/** Numbers of things, a row for each. */
export const numbersBy = <T>(things: () => readonly T[], columns: readonly Column<T>[]): Numbers => ({
  head: columns.map(([name]) => name),
  rows: () => things().map((thing) => columns.map(([, cell]) => cell(thing))),
});

/** NaN means that there is no value. */
export const known = (value: number): number | null => (Number.isNaN(value) ? null : value);

/** The cell as the page shows it. */
function cellText(cell: Cell): string {
  if (cell === null) return '–';
  if (typeof cell === 'string') return cell;
  return Number.isInteger(cell) ? formatCount(cell) : shortNumber(cell, 6);
}

/** @param caption for screen readers @param rows the first cell of each is its header */
export function table(caption: string, head: readonly string[], rows: readonly (readonly Child[])[]): HTMLTableElement {
  const headCells = head.map((name) =>
    el('th', { scope: 'col' }, name === '' ? el('span', { class: 'visually-hidden' }, t('Actions')) : name),
  );
  return el(
    'table',
    {},
    el('caption', { class: 'visually-hidden' }, caption),
    el('thead', {}, el('tr', {}, ...headCells)),
    el('tbody', {}, ...rows.map(rowOf)),
  );
}

const rowOf = ([first, ...rest]: readonly Child[]): HTMLElement =>
  el('tr', {}, el('th', { scope: 'row' }, first), ...rest.map((cell) => el('td', {}, cell)));

/** What scrolls sideways where it is wider than its card, also by keys. */
export const scroller = (label: string, ...children: readonly Child[]): HTMLElement =>
  el('div', { class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': label }, ...children);

/** In place of a number that nothing has measured. */
export const missing = (): HTMLElement =>
  el(
    'span',
    { class: 'muted' },
    el('span', { 'aria-hidden': 'true' }, '–'),
    el('span', { class: 'visually-hidden' }, t('not measured')),
  );

/** A table of numbers that stays in the page. It replaces only the rows that changed, because there may be thousands. */
export class NumberTable {
  private head = '';
  private shown: (readonly Cell[])[] = [];

  constructor(
    private readonly place: HTMLElement,
    private readonly caption: string,
  ) {}

  show({ head, rows }: Numbers): void {
    const wanted = rows();
    if (this.head !== head.join('\n')) {
      this.head = head.join('\n');
      this.shown = [];
      this.place.replaceChildren(table(this.caption, head, []));
    }
    const body = this.place.querySelector('tbody')!;
    while (this.shown.length > wanted.length) {
      body.lastElementChild!.remove();
      this.shown.pop();
    }
    for (const [i, cells] of wanted.entries()) {
      if (this.shown[i]?.every((cell, column) => Object.is(cell, cells[column]))) continue;
      const row = rowOf(cells.map(cellText));
      if (i < this.shown.length) body.children[i].replaceWith(row);
      else body.append(row);
      this.shown[i] = cells;
    }
  }
}
