/** A table of names and values. The full value of the selected row is shown below it. */
import type { Property } from '../../src/protocol/editor';
import { el } from '../support/dom';
import { t } from '../support/l10n';
import { button } from '../support/ui';
import { type Column, VirtualTable } from '../support/virtual-table';

export function propertyTable(
  label: string,
  properties: readonly Property[],
  copy: (text: string) => void,
): HTMLElement {
  const detail = el('div', { class: 'detail', hidden: true, role: 'region', 'aria-label': t('{0}: value', label) });
  const show = ({ name, value, note }: Property): void => {
    detail.hidden = false;
    detail.replaceChildren(
      el(
        'div',
        { class: 'detail-head' },
        el('code', {}, name),
        el('span', { class: 'quiet' }, note),
        button(t('Copy Value'), () => copy(value)),
      ),
      el('pre', { tabindex: 0, 'aria-label': name }, pretty(value)),
    );
  };
  const columns: readonly Column<Property>[] = [
    { id: 'name', title: t('Name'), least: 140, grow: 1, text: ({ name }) => name },
    { id: 'value', title: t('Value'), least: 140, grow: 2, text: ({ value }) => value.slice(0, 300) },
    { id: 'note', title: t('Kind'), least: 140, text: ({ note }) => note ?? '' },
  ];
  const table = new VirtualTable<Property>({
    label,
    columns: columns.slice(0, properties.some(({ note }) => note !== undefined) ? 3 : 2),
    request: (start, end) => queueMicrotask(() => table.put(start, properties.slice(start, end), properties.length)),
    onSelect: show,
    onOpen: show,
    onCopy: copy,
  });
  table.reset(properties.length);
  return el('div', {}, table.element, detail);
}

/** Indents JSON, and leaves any other value as it is. */
function pretty(value: string): string {
  if (!/^[[{]/.test(value)) return value;
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}
