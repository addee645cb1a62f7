/**
 * The frame of every chart: title with a question, summary, SVG, tooltip, a table of the same numbers, and export. It
 * redraws the chart when its width changes.
 */
import { type Child, el } from '../../support/dom';
import { t } from '../../support/l10n';
import { exportCsv, exportJson, exportPng, exportSvg } from './export';
import { exportControl } from './export-control';
import { cardTitle, type EmptyAction, emptyLine } from '../card';
import type { Context } from '../sections/section';
import { type Numbers, NumberTable, scroller } from './table';

/** A chart drawn at one width. */
export interface Drawing {
  /** Drawn one above the other. */
  readonly charts: readonly SVGSVGElement[];
  readonly table: Numbers;
  /** Explains colours and symbols. */
  readonly legend?: readonly HTMLElement[];
}

export class ChartFrame {
  readonly element: HTMLElement;
  /** In a report, where the user can change nothing. */
  readonly still: boolean;
  private readonly summary = el('p', { class: 'summary' });
  private readonly tools = el('div', { class: 'tools' });
  private readonly legend = el('div', { class: 'legend' });
  private readonly charts = el('div', { class: 'charts' });
  private readonly tooltip = el('div', { class: 'tooltip', 'aria-hidden': 'true' });
  private readonly note = el('p', { class: 'chart-note', role: 'status' });
  private readonly figures = el('dl', { class: 'card-figures' });
  /** Between the charts and the table of all numbers; usually empty. */
  private readonly below = el('div', { class: 'below' });
  private readonly details: HTMLElement;
  private readonly numbers: NumberTable;
  private readonly exports: HTMLElement;
  /** In the head, in place of the question, while there is nothing to draw. */
  private readonly empty = el('div', { class: 'empty', role: 'status' });
  private draw: ((width: number) => Drawing) | undefined;
  private drawing: Drawing | undefined;
  private width = 0;

  /** @param id also the name of exported files @param question what the chart answers */
  constructor(
    private readonly id: string,
    title: string,
    question: string,
    private readonly context: Context,
  ) {
    this.still = context.still ?? false;
    this.exports = this.exportMenu(title);
    const place = scroller(t('{0}: numbers', title));
    this.numbers = new NumberTable(place, title);
    const open = context.view().tables.includes(id) ? { open: '' } : {};
    this.details = el('details', open, el('summary', {}, t('Show as Table')), place);
    this.details.addEventListener('toggle', () => {
      this.showNumbers();
      const others = context.view().tables.filter((other) => other !== id);
      context.setView({ tables: this.details.hasAttribute('open') ? [...others, id] : others });
    });
    const stage = el('div', { class: 'stage' }, this.charts, this.tooltip);
    stage.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.hideTip();
    });
    this.element = el(
      'section',
      { class: `card ${id}`, 'aria-labelledby': `${id}-title`, tabindex: '-1' },
      el('header', {}, cardTitle(id, title, question), this.empty, this.tools, this.exports),
      this.summary,
      this.figures,
      this.note,
      this.legend,
      stage,
      this.below,
      this.details,
    );
    new ResizeObserver(() => this.fit()).observe(this.charts);
  }

  /** Whether the card is one line. */
  get isEmpty(): boolean {
    return this.draw === undefined;
  }

  /** Sets the controls next to the title. */
  setTools(...tools: readonly HTMLElement[]): void {
    this.tools.replaceChildren(...tools);
  }

  /** Sets a note below the summary; usually there is none. */
  setNote(...content: readonly Child[]): void {
    this.note.replaceChildren(...content.filter((child) => child !== null && child !== undefined));
  }

  /** Sets figures below the summary; usually there are none. */
  setFigures(...figures: readonly HTMLElement[]): void {
    this.figures.replaceChildren(...figures);
  }

  /** Sets what stands below the charts; usually nothing. */
  setBelow(...content: readonly HTMLElement[]): void {
    this.below.replaceChildren(...content);
  }

  /** Draws the chart now and at every new width. */
  show(summary: string, draw: (width: number) => Drawing): void {
    this.summary.textContent = summary;
    this.draw = draw;
    this.element.classList.remove('is-empty');
    this.empty.replaceChildren();
    this.redraw();
  }

  /** Makes the card one line: what is missing, and links to get it. */
  showEmpty(words: string, ...actions: readonly EmptyAction[]): void {
    this.draw = undefined;
    this.drawing = undefined;
    this.setNote();
    this.setFigures();
    this.setBelow();
    this.summary.textContent = '';
    this.element.classList.add('is-empty');
    this.legend.replaceChildren();
    this.charts.replaceChildren();
    this.empty.replaceChildren(emptyLine(words, ...(this.still ? [] : actions)));
  }

  /** Shows a tooltip above a point of the chart. */
  tip(x: number, y: number, lines: readonly string[]): void {
    this.tooltip.replaceChildren(...lines.map((line, i) => el(i === 0 ? 'strong' : 'span', {}, line)));
    this.tooltip.classList.add('is-shown');
    const half = this.tooltip.offsetWidth / 2;
    this.tooltip.style.left = `${Math.max(half, Math.min(this.width - half, x))}px`;
    this.tooltip.style.top = `${Math.max(this.tooltip.offsetHeight + 4, y - 8)}px`;
  }

  hideTip(): void {
    this.tooltip.classList.remove('is-shown');
  }

  private fit(): void {
    const width = Math.floor(this.charts.clientWidth);
    if (width === this.width || width === 0) return;
    this.width = width;
    this.redraw();
  }

  private redraw(): void {
    this.width ||= Math.floor(this.charts.clientWidth);
    if (!this.draw || this.width === 0) return;
    const focused = focusedKey(this.charts);
    const { charts, legend = [] } = (this.drawing = this.draw(this.width));
    // Plot labels its groups, but only elements with a role may have a label.
    for (const chart of charts)
      for (const group of chart.querySelectorAll('g[aria-label]:not([role])')) group.removeAttribute('aria-label');
    this.charts.replaceChildren(...charts);
    this.legend.replaceChildren(...legend);
    this.showNumbers();
    if (focused !== undefined) this.charts.querySelector<SVGElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Makes the table only while it is open: a running training draws several times a second. */
  private showNumbers(): void {
    if (this.drawing && this.details.hasAttribute('open')) this.numbers.show(this.drawing.table);
  }

  private exportMenu(title: string): HTMLElement {
    const save = (act: (drawing: Drawing) => void | Promise<void>) => (): void =>
      void (this.drawing && act(this.drawing));
    const { id, context } = this;
    return exportControl(title, {
      SVG: save(({ charts }) => exportSvg(id, charts, context.send)),
      PNG: save(({ charts }) => exportPng(id, charts, context.send)),
      CSV: save(({ table }) => exportCsv(id, table, context.send)),
      JSON: save(({ table }) => exportJson(id, table, context.send)),
    });
  }
}

/** The key of the focused mark. A redraw must not lose the focus. */
function focusedKey(charts: HTMLElement): string | undefined {
  const { activeElement } = document;
  return charts.contains(activeElement) ? (activeElement as SVGElement).dataset.key : undefined;
}
