/** A button with a small menu below it: arrow keys move, Escape and a click elsewhere close it, the focus returns. */
import { el } from './dom';
import { icon, type IconName } from './icons';
import { popup } from './popup';
import { button } from './ui';

export interface MenuItem {
  readonly label: string;
  /** What it does, where the label alone does not tell. */
  readonly name?: string;
  readonly act: () => void;
}

/** @param name what the button opens, for its tooltip and for screen readers */
export function menuButton(sign: IconName, name: string, items: readonly MenuItem[]): HTMLElement {
  const opener = button(icon(sign), () => box.toggle(), { appearance: 'icon', label: name });
  const entries = items.map(({ label, name: full }) =>
    el('button', { type: 'button', role: 'menuitem', tabindex: '-1', 'aria-label': full, title: full }, label),
  );
  const menu = el('div', { class: 'popup menu', role: 'menu', 'aria-label': name, hidden: true }, ...entries);
  const element = el('div', { class: 'menu-place' }, opener, menu);
  const box = popup(opener, menu, element, () => entries.at(0));

  for (const [i, entry] of entries.entries())
    entry.addEventListener('click', () => {
      box.close();
      items[i].act();
    });
  menu.addEventListener('keydown', (event) => {
    if (event.key === 'Tab') box.close(false);
    const to = entryAfter(event.key, entries.indexOf(document.activeElement as HTMLButtonElement), entries.length);
    if (to === undefined) return;
    event.preventDefault();
    entries[to].focus();
  });
  opener.addEventListener('keydown', (event) => {
    if (event.key !== 'ArrowDown' || !menu.hidden) return;
    event.preventDefault();
    box.open();
  });
  return element;
}

/** Arrow keys go round, as in VS Code's menus. */
function entryAfter(key: string, from: number, length: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return (from + 1) % length;
    case 'ArrowUp':
      return (from + length - 1) % length;
    case 'Home':
      return 0;
    case 'End':
      return length - 1;
    default:
      return undefined;
  }
}
