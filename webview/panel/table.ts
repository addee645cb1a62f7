/** Tables: of charts for those who do not see them, and of what is a table anyway. */
import { type Child, el } from '../support/dom';

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
    el(
      'tbody',
      {},
      ...rows.map(([first, ...rest]) =>
        el('tr', {}, el('th', { scope: 'row' }, first), ...rest.map((cell) => el('td', {}, cell))),
      ),
    ),
  );
}
