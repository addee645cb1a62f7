/** Names and values in a table; the value of the selected line is shown whole below it. */
import type { Property } from '../../src/protocol/editor';
import { el } from '../support/dom';
import { button } from '../support/ui';
import { type Column, VirtualTable } from '../support/virtual-table';

export function propertyTable(
  label: string,
  properties: readonly Property[],
  copy: (text: string) => void,
): HTMLElement {
  const detail = el('div', { class: 'detail', hidden: true, role: 'region', 'aria-label': `${label}: value` });
  const show = ({ name, value, note }: Property): void => {
    detail.hidden = false;
    detail.replaceChildren(
      el(
        'div',
        { class: 'detail-head' },
        el('code', {}, name),
        el('span', { class: 'quiet' }, note),
        button('Copy value', () => copy(value)),
      ),
      el('pre', { tabindex: 0, 'aria-label': name }, pretty(value)),
    );
  };
  const columns: readonly Column<Property>[] = [
    { id: 'name', title: 'Name', least: 140, grow: 1, text: ({ name }) => name },
    { id: 'value', title: 'Value', least: 140, grow: 2, text: ({ value }) => value.slice(0, 300) },
    { id: 'note', title: 'Kind', least: 140, text: ({ note }) => note ?? '' },
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

/** JSON on several lines, everything else as it is. */
function pretty(value: string): string {
  if (!/^[[{]/.test(value)) return value;
  try {
    return JSON.stringify(JSON.parse(value), null, 2);
  } catch {
    return value;
  }
}
