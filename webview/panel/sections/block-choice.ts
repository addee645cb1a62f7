/**
 * How a strip of blocks takes mouse and keyboard. A click, Space or x removes a block or keeps it; a drag, Shift+click or
 * Shift with arrow keys choose a range, which is removed or kept at once. One cell is in the tab order.
 */
import { movedTo } from '../../support/roving';
export interface BlockChoice {
  readonly toggle: (block: number) => void;
  /** Makes these the removed blocks. */
  readonly set: (removed: readonly number[]) => void;
  readonly looked: (block: number) => void;
}

export function chooseBlocks(strip: HTMLElement, { toggle, set, looked }: BlockChoice): void {
  const cells = (): HTMLElement[] => [...strip.children] as HTMLElement[];
  const blockOf = (event: Event): number => cells().findIndex((cell) => cell.contains(event.target as Node));
  const isRemoved = (cell: HTMLElement): boolean => cell.getAttribute('aria-checked') === 'false';
  const isLocked = (cell: HTMLElement): boolean => cell.getAttribute('aria-disabled') === 'true';
  let anchor = 0;
  let end = 0;
  let dragging = false;

  function mark(from: number, to: number): void {
    [anchor, end] = [from, to];
    const [low, high] = [Math.min(from, to), Math.max(from, to)];
    for (const [i, cell] of cells().entries()) cell.classList.toggle('is-chosen', low < high && low <= i && i <= high);
  }

  /** @param leader the block whose state changes; the others follow it */
  function act(leader: number): void {
    const [low, high] = [Math.min(anchor, end), Math.max(anchor, end)];
    const all = cells();
    if (low === high) {
      if (!isLocked(all[leader])) toggle(leader);
    } else {
      const removes = !isRemoved(all[leader]);
      const wanted = all.map((cell, i) => (i < low || i > high ? isRemoved(cell) : removes && !isLocked(cell)));
      set(wanted.flatMap((removed, i) => (removed ? [i] : [])));
    }
    mark(leader, leader);
  }

  function focus(block: number): void {
    for (const [i, cell] of cells().entries()) cell.tabIndex = i === block ? 0 : -1;
    cells()[block]?.focus({ preventScroll: true });
  }

  strip.addEventListener('pointerdown', (event) => {
    const block = blockOf(event);
    if (block < 0 || event.button !== 0) return;
    event.preventDefault(); // no text is selected
    dragging = true;
    mark(event.shiftKey ? anchor : block, block);
    focus(block);
  });
  strip.addEventListener('pointerover', (event) => {
    const block = blockOf(event);
    if (block < 0) return;
    looked(block);
    if (dragging && event.buttons === 1) mark(anchor, block);
  });
  document.addEventListener('pointerup', (event) => {
    if (!dragging) return;
    dragging = false;
    act(event.shiftKey ? end : anchor);
  });
  // Screen readers click without a pointer.
  strip.addEventListener('click', (event) => {
    const block = blockOf(event);
    if (event.detail !== 0 || block < 0) return;
    mark(block, block);
    act(block);
  });
  strip.addEventListener('focusin', (event) => looked(blockOf(event)));
  strip.addEventListener('keydown', (event) => {
    const block = blockOf(event);
    const to = movedTo(event.key, block, strip.childElementCount);
    if (to !== undefined) {
      mark(event.shiftKey ? anchor : to, to);
      focus(to);
    } else if ([' ', 'Enter', 'x'].includes(event.key)) act(block);
    else if (event.key === 'Escape') mark(block, block);
    else return;
    event.preventDefault();
  });
}
