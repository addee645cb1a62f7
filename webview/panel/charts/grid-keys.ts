/**
 * Keys and pointer in a grid of elements: one is in the tab order; arrow keys, Home and End move between them; Enter and Space
 * press the one that has the focus. The listeners are on the grid, because a model of many blocks has a thousand cells.
 */

import { cellAfter } from './grid-move';

export interface GridTips {
  readonly show: (cell: SVGElement) => void;
  readonly hide: () => void;
}

/** @param rows of elements of `grid`, the first of which begins in the tab order */
export function moveInGrid(grid: SVGSVGElement, rows: readonly (readonly SVGElement[])[], tips: GridTips): void {
  const all = new Map(rows.flatMap((row, r) => row.map((cell, c) => [cell as Element, { r, c }])));
  let stop = rows[0]?.[0];
  stop?.setAttribute('tabindex', '0');
  const cellOf = (event: Event): SVGElement | undefined => {
    const found = (event.target as Element).closest('[data-key]');
    return found && all.has(found) ? (found as SVGElement) : undefined;
  };
  grid.addEventListener('keydown', (event) => {
    const cell = cellOf(event);
    if (!cell || event.shiftKey) return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      cell.dispatchEvent(new MouseEvent('click', { bubbles: true }));
      return;
    }
    const { r, c } = all.get(cell)!;
    const to = cellAfter(event.key, r, c, rows.length, rows[r].length);
    if (!to) return;
    event.preventDefault();
    rows[to.r][to.c].focus();
  });
  grid.addEventListener('focusin', (event) => {
    const cell = cellOf(event);
    if (!cell) return;
    stop?.setAttribute('tabindex', '-1');
    cell.setAttribute('tabindex', '0');
    stop = cell;
    tips.show(cell);
  });
  grid.addEventListener('focusout', tips.hide);
  grid.addEventListener('pointerover', (event) => {
    const cell = cellOf(event);
    if (cell) tips.show(cell);
    else tips.hide();
  });
  grid.addEventListener('pointerleave', tips.hide);
}
