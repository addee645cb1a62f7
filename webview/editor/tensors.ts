/** The tensor table with its filter, and the details of the selected tensor. */
import type {
  FileDescription,
  FromEditorPage,
  StatisticsState,
  TableQuery,
  TensorRow,
  ToEditorPage,
} from '../../src/protocol/editor';
import { el } from '../support/dom';
import type { Host } from '../support/host';
import { elementsText, tensorsText } from '../support/amounts';
import { t } from '../support/l10n';
import { formatBytes, formatCount } from '../../src/format/numbers';
import { button, progressRing, textField } from '../support/ui';
import { VirtualTable } from '../support/virtual-table';
import { statisticsView } from './histogram';
import type { EditorState } from './state';

/** Waits this long after the last key before it asks the host. */
const TYPING_MS = 120;

/** The syntax of a filter (`TableQuery`), which is the same in every language. */
const FILTER_EXAMPLES = ['q_proj', 'block:12', 'part:ffn', 'dtype:bf16'].join('   ');

type EditorHost = Host<FromEditorPage, EditorState>;
type Column = NonNullable<TableQuery['sort']>['column'];

export class TensorSection {
  readonly element: HTMLElement;
  private readonly table: VirtualTable<TensorRow>;
  private readonly count = el('span', { class: 'quiet', role: 'status' });
  private readonly field: HTMLElement & { value: string };
  private readonly detail = el('div', {
    class: 'detail',
    hidden: true,
    role: 'region',
    'aria-label': t('Selected tensor'),
  });
  private readonly result = el('div', { class: 'result' });
  private query: TableQuery;
  private selected: TensorRow | undefined;
  /** Counts queries. Answers to an older query are ignored. */
  private generation = 0;
  private readonly requests = new Map<number, number>();
  private nextRequest = 0;
  private typing: number | undefined;

  constructor(
    private readonly host: EditorHost,
    private readonly description: FileDescription,
  ) {
    const { state } = host;
    this.query = state?.query ?? { filter: '' };
    this.field = textField(t('Filter'), this.query.filter, FILTER_EXAMPLES, (filter) => {
      window.clearTimeout(this.typing);
      this.typing = window.setTimeout(() => this.ask({ ...this.query, filter }), TYPING_MS);
    });
    const manyFiles = description.shards.length > 1;
    this.table = new VirtualTable<TensorRow>({
      label: t('Tensors'),
      columns: [
        { id: 'name', title: t('Name'), least: 220, grow: 4, text: ({ name }) => name },
        { id: 'dtype', title: t('Type'), least: 80, text: ({ dtype }) => dtype },
        { id: 'shape', title: t('Shape'), least: 110, grow: 1, text: ({ shape }) => `[${shape.join(', ')}]` },
        { id: 'elements', title: t('Elements'), least: 120, numeric: true, text: (row) => formatCount(row.elements) },
        { id: 'bytes', title: t('Size'), least: 90, numeric: true, text: ({ bytes }) => formatBytes(bytes) },
        {
          id: 'offset',
          title: t('Offset'),
          least: 130,
          numeric: true,
          text: ({ offset }) => (offset === null ? '' : formatCount(offset)),
        },
        ...(manyFiles
          ? [{ id: 'file', title: t('File'), least: 160, grow: 2, text: ({ file }: TensorRow) => file }]
          : []),
      ],
      request: (start, end) => this.request(start, end),
      onSelect: (row, index) => this.show(row, index),
      onOpen: (row, index) => {
        this.show(row, index);
        this.measure();
      },
      onCopy: (text) => host.post({ type: 'copy', text }),
      onSort: (column) => this.sortBy(column as Column),
      onScroll: (tableTop) => host.keep({ tableTop }),
    });
    this.element = el(
      'section',
      { 'aria-label': t('Tensors') },
      el('h2', {}, t('Tensors')),
      el(
        'div',
        { class: 'toolbar' },
        this.field,
        button(t('Copy Table'), () => host.post({ type: 'copyTable', query: this.query })),
        this.count,
      ),
      this.table.element,
      this.detail,
    );
    this.restore();
  }

  /** Shows only the rows that `filter` selects. */
  filter(filter: string): void {
    this.field.value = filter;
    this.ask({ ...this.query, filter });
    this.table.element.scrollIntoView({ block: 'nearest' });
  }

  receive(message: ToEditorPage): void {
    if (message.type === 'rows') {
      if (this.requests.get(message.request) !== this.generation) return;
      this.requests.delete(message.request);
      this.table.put(message.start, message.rows, message.total);
      const { tensors } = this.description;
      this.count.textContent =
        message.total === tensors
          ? tensorsText(tensors)
          : t('{0} of {1}', formatCount(message.total), tensorsText(tensors));
    } else if (message.type === 'statistics' && message.tensor === this.selected?.name) this.progress(message.state);
  }

  private restore(): void {
    const { state } = this.host;
    this.table.sorted(this.query.sort?.column, this.query.sort?.descending ?? false);
    const { tensors } = this.description;
    this.table.reset(tensors, { top: 0, active: state?.selected?.index });
    // The table can scroll only after its layout.
    if (state?.tableTop) requestAnimationFrame(() => (this.table.element.scrollTop = state.tableTop ?? 0));
    if (!state?.selected) return;
    this.show(state.selected.row, state.selected.index);
    if (state.statistics?.tensor === state.selected.row.name) {
      this.progress({ kind: 'done', statistics: state.statistics.statistics });
    }
  }

  private ask(query: TableQuery): void {
    this.query = query;
    this.generation++;
    this.host.keep({ query, tableTop: 0 });
    this.table.sorted(query.sort?.column, query.sort?.descending ?? false);
    this.table.reset(Math.min(this.description.tensors, 100)); // until the answer has the number of rows
    if (this.description.tensors === 0) this.request(0, 1);
  }

  private request(start: number, end: number): void {
    const request = this.nextRequest++;
    this.requests.set(request, this.generation);
    this.host.post({ type: 'rows', request, start, end, query: this.query });
  }

  /** Ascending, then descending, then the order of the file. */
  private sortBy(column: Column): void {
    const { sort, filter } = this.query;
    if (sort?.column !== column) this.ask({ filter, sort: { column, descending: false } });
    else this.ask(sort.descending ? { filter } : { filter, sort: { column, descending: true } });
  }

  private show(row: TensorRow, index: number): void {
    if (this.selected?.name === row.name && !this.detail.hidden) return;
    this.selected = row;
    this.host.keep({ selected: { row, index } });
    const { name, dtype, shape, elements, bytes, offset, file } = row;
    const place =
      offset === null ? file : t('{0}, bytes {1} to {2}', file, formatCount(offset), formatCount(offset + bytes));
    const { noStatistics } = this.description;
    this.detail.hidden = false;
    this.detail.replaceChildren(
      el(
        'div',
        { class: 'detail-head' },
        el('code', {}, name),
        button(t('Copy Name'), () => this.host.post({ type: 'copy', text: name })),
      ),
      el('div', {}, `${dtype} [${shape.join(', ')}], ${elementsText(elements)}, ${formatBytes(bytes)}`),
      el('div', { class: 'quiet' }, place),
      noStatistics === undefined ? this.result : el('div', { class: 'quiet' }, noStatistics),
    );
    this.result.replaceChildren(button(t('Show Statistics'), () => this.measure(), { appearance: 'primary' }));
  }

  private measure(): void {
    if (!this.selected || this.description.noStatistics !== undefined) return;
    this.host.post({ type: 'statistics', tensor: this.selected.name });
  }

  private progress(state: StatisticsState): void {
    switch (state.kind) {
      case 'running': {
        const share = state.total > 0 ? Math.floor((100 * state.done) / state.total) : 0;
        const cancel = button(t('Cancel'), () => this.host.post({ type: 'cancelStatistics' }));
        this.result.replaceChildren(progressRing(t('Reading values: {0} %', share)), cancel);
        break;
      }
      case 'done':
        if (this.selected) this.host.keep({ statistics: { tensor: this.selected.name, statistics: state.statistics } });
        this.result.replaceChildren(statisticsView(state.statistics));
        break;
      case 'failed': {
        const again = button(t('Try Again'), () => this.measure());
        this.result.replaceChildren(
          el('p', { role: 'alert' }, `${state.what}: ${state.why}. ${state.action ?? ''}`),
          again,
        );
        break;
      }
      case 'cancelled':
        this.result.replaceChildren(button(t('Show Statistics'), () => this.measure(), { appearance: 'primary' }));
        break;
    }
  }
}
