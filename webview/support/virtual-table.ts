/**
 * A table of any length. Only the rows in view are in the document. A row is empty until its source delivers it.
 * Keys: arrows, Page Up/Down, Home, End, Enter; Ctrl+C copies.
 */
import { el } from './dom';

export interface Column<Row> {
  readonly id: string;
  readonly title: string;
  /** Minimum width in pixels. */
  readonly least: number;
  /** Share of the remaining width; none when undefined. */
  readonly grow?: number;
  readonly numeric?: boolean;
  readonly text: (row: Row) => string;
}

export interface TableOptions<Row> {
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  /** Requests rows [start, end). The answer comes through `put`. */
  readonly request: (start: number, end: number) => void;
  readonly onSelect?: (row: Row, index: number) => void;
  /** Called for Enter and for a double click. */
  readonly onOpen?: (row: Row, index: number) => void;
  readonly onCopy?: (text: string) => void;
  /** Makes the headers buttons that sort; gets the id of the column. */
  readonly onSort?: (column: string) => void;
  readonly onScroll?: (top: number) => void;
}

const ROW_HEIGHT = 24;
/** Rows that are drawn above and below the visible ones. */
const MARGIN = 10;
/** Limit of drawn rows, for windows of any height. */
const MAX_ROWS = 150;
/** Rows are requested in pages of this length. */
const PAGE = 100;

let tables = 0;

export class VirtualTable<Row> {
  readonly element: HTMLElement;
  private readonly body: HTMLElement;
  private readonly headers = new Map<string, HTMLElement>();
  private readonly rows = new Map<number, Row>();
  private readonly asked = new Set<number>();
  private readonly prefix = `table${tables++}-row`;
  private total = 0;
  private active = -1;

  constructor(private readonly options: TableOptions<Row>) {
    this.body = el('div', { role: 'rowgroup', class: 'table-body' });
    this.element = el(
      'div',
      { role: 'grid', class: 'table', tabindex: 0, 'aria-label': options.label, 'aria-readonly': 'true' },
      el('div', { role: 'rowgroup', class: 'table-head' }, this.header()),
      this.body,
    );
    const { columns } = options;
    // Head and body are separate grids. They line up because their tracks have known widths.
    const tracks = columns.map(({ least, grow }) => `minmax(${least}px, ${grow ? `${grow}fr` : `${least}px`})`);
    this.element.style.setProperty('--columns', tracks.join(' '));
    this.element.style.setProperty('--least', `${columns.reduce((sum, { least }) => sum + least, 0)}px`);
    this.element.addEventListener('scroll', () => {
      options.onScroll?.(this.element.scrollTop);
      this.draw();
    });
    this.element.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  /** Drops all rows, because the source has changed. */
  reset(total: number, { top = 0, active = -1 } = {}): void {
    this.rows.clear();
    this.asked.clear();
    this.active = active;
    this.resize(total);
    this.element.scrollTop = top;
    this.draw();
  }

  /** Takes rows from `start` on, and the number of all rows. */
  put(start: number, rows: readonly Row[], total: number): void {
    rows.forEach((row, i) => this.rows.set(start + i, row));
    if (total !== this.total) this.resize(total);
    this.draw();
  }

  /** Marks the column by which the rows are sorted. */
  sorted(column: string | undefined, descending: boolean): void {
    for (const [id, header] of this.headers) {
      header.setAttribute('aria-sort', id !== column ? 'none' : descending ? 'descending' : 'ascending');
    }
  }

  private resize(total: number): void {
    this.total = total;
    this.element.setAttribute('aria-rowcount', String(total + 1));
    this.body.style.height = `${total * ROW_HEIGHT}px`;
    this.element.style.setProperty('--rows', String(total));
  }

  private header(): HTMLElement {
    const { columns, onSort } = this.options;
    const cells = columns.map(({ id, title, numeric }) => {
      const sort = onSort && el('button', { type: 'button' }, title);
      sort?.addEventListener('click', () => onSort?.(id));
      const cell = el('div', { role: 'columnheader', class: numeric ? 'numeric' : undefined }, sort ?? title);
      if (onSort) cell.setAttribute('aria-sort', 'none');
      this.headers.set(id, cell);
      return cell;
    });
    return el('div', { role: 'row', 'aria-rowindex': 1, class: 'table-row' }, ...cells);
  }

  private draw(): void {
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / ROW_HEIGHT) - MARGIN);
    const last = Math.min(this.total, first + Math.min(MAX_ROWS, Math.ceil(clientHeight / ROW_HEIGHT) + 2 * MARGIN));
    this.ask(first, last);
    const lines: HTMLElement[] = [];
    for (let index = first; index < last; index++) lines.push(this.line(index));
    this.body.replaceChildren(...lines);
    const shown = this.active >= first && this.active < last;
    if (shown) this.element.setAttribute('aria-activedescendant', `${this.prefix}${this.active}`);
    else this.element.removeAttribute('aria-activedescendant');
  }

  private ask(first: number, last: number): void {
    for (let page = Math.floor(first / PAGE); page * PAGE < last; page++) {
      if (this.asked.has(page)) continue;
      this.asked.add(page);
      this.options.request(page * PAGE, (page + 1) * PAGE);
    }
  }

  private line(index: number): HTMLElement {
    const row = this.rows.get(index);
    const cells = this.options.columns.map(({ text, numeric }) => {
      const value = row === undefined ? '' : text(row);
      return el('div', { role: 'gridcell', class: numeric ? 'numeric' : undefined, title: value }, value);
    });
    const selected = index === this.active;
    const line = el(
      'div',
      {
        role: 'row',
        id: `${this.prefix}${index}`,
        class: selected ? 'table-row selected' : 'table-row',
        'aria-rowindex': index + 2,
        'aria-selected': selected ? 'true' : 'false',
      },
      ...cells,
    );
    line.style.top = `${index * ROW_HEIGHT}px`;
    line.addEventListener('click', () => this.select(index));
    line.addEventListener('dblclick', () => this.open(index));
    return line;
  }

  private key(event: KeyboardEvent): void {
    if (event.target !== this.element) return; // a button of the header
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW_HEIGHT) - 2);
    const row = this.rows.get(this.active);
    if ((event.ctrlKey || event.metaKey) && event.key === 'c' && row !== undefined) {
      this.options.onCopy?.(this.options.columns.map(({ text }) => text(row)).join('\t'));
    } else if (event.key === 'Enter') this.open(this.active);
    else if (event.key === 'ArrowDown') this.select(this.active + 1);
    else if (event.key === 'ArrowUp') this.select(this.active - 1);
    else if (event.key === 'PageDown') this.select(this.active + page);
    else if (event.key === 'PageUp') this.select(this.active - page);
    else if (event.key === 'Home') this.select(0);
    else if (event.key === 'End') this.select(this.total - 1);
    else return;
    event.preventDefault();
  }

  private select(index: number): void {
    if (this.total === 0) return;
    this.active = Math.min(Math.max(0, index), this.total - 1);
    this.reveal();
    this.draw();
    const row = this.rows.get(this.active);
    if (row !== undefined) this.options.onSelect?.(row, this.active);
  }

  private open(index: number): void {
    const row = this.rows.get(index);
    if (row !== undefined) this.options.onOpen?.(row, index);
  }

  private reveal(): void {
    const head = ROW_HEIGHT; // it is sticky at the top
    const top = this.active * ROW_HEIGHT;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + ROW_HEIGHT > scrollTop + clientHeight - head) {
      this.element.scrollTop = top + ROW_HEIGHT + head - clientHeight;
    }
  }
}
