/** Tables: of charts for those who do not see them, and of what is a table anyway. */
import { type Child, el } from '../../support/dom';
import { short } from '../numbers';

/** A word, a number as it was measured, or nothing: the page rounds, a file does not. */
export type Cell = string | number | null;

/** Numbers to be looked at or exported. */
export interface Numbers {
  readonly head: readonly string[];
  /** Called when somebody looks, for there may be thousands. */
  readonly rows: () => readonly (readonly Cell[])[];
}

/** NaN says that there is nothing. */
export const known = (value: number): number | null => (Number.isNaN(value) ? null : value);

/** As the page shows it. */
export function cellText(cell: Cell): string {
  if (cell === null) return '–';
  if (typeof cell === 'string') return cell;
  return Number.isInteger(cell) ? cell.toLocaleString('en-US') : short(cell, 6);
}

/** @param caption what the table is, for those who do not see what is around it; the first cell of a row names it */
export function table(caption: string, head: readonly string[], rows: readonly (readonly Child[])[]): HTMLTableElement {
  const headCells = head.map((name) =>
    el('th', { scope: 'col' }, name === '' ? el('span', { class: 'visually-hidden' }, 'Actions') : name),
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

/** A table of numbers that stays in the page: of thousands of rows, those are replaced that are others now. */
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
