/** The models that generate: those chosen as chips, and a menu of all, by what they have to do with the panel's model. */
import type { ColumnChoice, ColumnGroup } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { icon } from '../../support/icons';
import { t } from '../../support/l10n';
import { modelText } from '../state/model-labels';
import './sample-models.css';

/** More texts than these are not read side by side. */
export const MAX_COLUMNS = 4;

const GROUPS: readonly (readonly [ColumnGroup, string])[] = [
  ['own', t('This model')],
  ['origin', t('What it was made from')],
  ['made', t('Made from it')],
  ['other', t('Other models')],
];

export class ModelChips {
  readonly element: HTMLElement;
  private readonly chips = el('ul', { class: 'chips' });
  private readonly add: HTMLButtonElement;
  private readonly menu = el('div', { class: 'menu', role: 'menu', 'aria-label': t('Models'), hidden: true });
  private choices: readonly ColumnChoice[] = [];
  private chosen: readonly string[] = [];
  private shown = '';

  /** @param changed gets the ids of the chosen models, in the order of the choices */
  constructor(private readonly changed: (ids: readonly string[]) => void) {
    this.add = el(
      'button',
      { type: 'button', class: 'chip-add', 'aria-haspopup': 'menu', 'aria-expanded': 'false' },
      icon('add'),
      t('Add Model…'),
    );
    this.add.addEventListener('click', () => (this.menu.hidden ? this.open() : this.close(true)));
    this.add.addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowDown') return;
      event.preventDefault();
      this.open();
    });
    this.menu.addEventListener('keydown', (event) => this.key(event));
    this.element = el(
      'div',
      { class: 'models', role: 'group', 'aria-label': t('Models to compare') },
      this.chips,
      el('div', { class: 'menu-place' }, this.add, this.menu),
    );
    this.element.addEventListener('focusout', ({ relatedTarget }) => {
      const place = this.menu.parentElement!;
      // A click on what takes no focus, such as a heading or the scroll bar, leaves the menu open.
      if (relatedTarget instanceof Node && !place.contains(relatedTarget)) this.close(false);
    });
    document.addEventListener('pointerdown', ({ target }) => {
      if (target instanceof Node && !this.menu.parentElement!.contains(target)) this.close(false);
    });
  }

  /** @param chosen ids, one at least if there are choices */
  show(choices: readonly ColumnChoice[], chosen: readonly string[]): void {
    this.choices = choices;
    this.chosen = chosen;
    const wanted = JSON.stringify([choices, chosen]);
    if (wanted === this.shown) return;
    this.shown = wanted;
    this.showChips();
    this.showMenu();
    this.add.disabled = choices.length === 0;
  }

  private showChips(): void {
    const focused = this.chips.contains(document.activeElement);
    const chips = this.choices.filter(({ id }) => this.chosen.includes(id)).map((choice) => this.chip(choice));
    this.chips.replaceChildren(...chips);
    if (focused) (this.chips.querySelector('button') ?? this.add).focus();
  }

  private chip({ id, label, detail }: ColumnChoice): HTMLElement {
    const name = modelText(label);
    const words = t('Remove {0}', name);
    const remove = el(
      'button',
      { type: 'button', class: 'chip-remove', 'aria-label': words, title: words },
      icon('close'),
    );
    remove.addEventListener('click', () => this.toggle(id));
    const isLast = this.chosen.length === 1; // at least one model writes
    return el('li', { class: 'chip', title: detail }, el('span', {}, name), isLast ? null : remove);
  }

  private showMenu(): void {
    const at = this.items().indexOf(document.activeElement as HTMLElement);
    const isFull = this.chosen.length >= MAX_COLUMNS;
    const groups = GROUPS.flatMap(([group, title]) => {
      const own = this.choices.filter((choice) => choice.group === group);
      if (own.length === 0) return [];
      const head = el('div', { class: 'menu-head', 'aria-hidden': 'true' }, title);
      return [el('div', { role: 'group', 'aria-label': title }, head, ...own.map((each) => this.item(each, isFull)))];
    });
    const most = el('div', { class: 'menu-head', role: 'presentation' }, t('Up to {0} models.', MAX_COLUMNS));
    this.menu.replaceChildren(...groups, ...(isFull ? [most] : []));
    if (at >= 0) this.items()[at]?.focus();
  }

  private item({ id, label, detail }: ColumnChoice, isFull: boolean): HTMLElement {
    const isChosen = this.chosen.includes(id);
    const isOff = isChosen ? this.chosen.length === 1 : isFull;
    const name = modelText(label);
    const item = el(
      'button',
      {
        type: 'button',
        class: 'menu-item',
        role: 'menuitemcheckbox',
        'aria-checked': String(isChosen),
        'aria-label': name,
        'aria-disabled': isOff ? 'true' : undefined,
        tabindex: '-1',
        title: detail,
      },
      icon('check'),
      el('span', {}, name),
    );
    item.addEventListener('click', () => isOff || this.toggle(id));
    return item;
  }

  private items(): HTMLElement[] {
    return [...this.menu.querySelectorAll<HTMLElement>('[role="menuitemcheckbox"]')];
  }

  private toggle(id: string): void {
    const others = this.chosen.filter((other) => other !== id);
    const wanted = this.chosen.includes(id) ? others : [...others, id];
    this.changed(this.choices.map((choice) => choice.id).filter((each) => wanted.includes(each)));
  }

  private open(): void {
    this.menu.hidden = false;
    this.add.setAttribute('aria-expanded', 'true');
    this.items().at(0)?.focus();
  }

  /** @param back whether the button gets the focus */
  private close(back: boolean): void {
    if (this.menu.hidden) return;
    this.menu.hidden = true;
    this.add.setAttribute('aria-expanded', 'false');
    if (back) this.add.focus();
  }

  /** As menus do: arrows move, letters search, Escape closes. */
  private key(event: KeyboardEvent): void {
    const items = this.items();
    const at = items.indexOf(document.activeElement as HTMLElement);
    const next = nextItem(event.key, items, at);
    if (event.key === 'Escape') this.close(true);
    else if (event.key === 'Tab') this.close(false);
    else next?.focus();
    if (event.key !== 'Escape' && !next) return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function nextItem(key: string, items: readonly HTMLElement[], at: number): HTMLElement | undefined {
  switch (key) {
    case 'ArrowDown':
      return items[(at + 1) % items.length];
    case 'ArrowUp':
      return items.at(at - 1);
    case 'Home':
      return items.at(0);
    case 'End':
      return items.at(-1);
    default: {
      if (key.length !== 1 || key === ' ') return undefined;
      const rest = [...items.slice(at + 1), ...items.slice(0, at + 1)];
      return rest.find((item) => item.ariaLabel?.toLowerCase().startsWith(key.toLowerCase()));
    }
  }
}
