/**
 * The frame of every chart: title, what it says in a sentence, the SVG, a tooltip, a table of the same numbers, and
 * export. Redraws when its width changes.
 */
import { type Child, el } from '../../support/dom';
import { button } from '../../support/ui';
import { exportCsv, exportJson, exportPng, exportSvg } from './export';
import type { Context } from '../sections/section';
import { type Numbers, NumberTable } from './table';

/** What is drawn, at a width. */
export interface Drawing {
  /** SVGs, one above the other. */
  readonly charts: readonly SVGSVGElement[];
  readonly table: Numbers;
  /** What the colours and signs mean. */
  readonly legend?: readonly HTMLElement[];
}

export class ChartFrame {
  readonly element: HTMLElement;
  /** Nothing can be changed by it. */
  readonly still: boolean;
  private readonly heading: HTMLElement;
  private readonly summary = el('p', { class: 'summary' });
  private readonly tools = el('div', { class: 'tools' });
  private readonly legend = el('div', { class: 'legend' });
  private readonly charts = el('div', { class: 'charts' });
  private readonly tooltip = el('div', { class: 'tooltip', 'aria-hidden': 'true' });
  private readonly note = el('p', { class: 'chart-note', role: 'status' });
  private readonly details: HTMLElement;
  private readonly numbers: NumberTable;
  private readonly exports: HTMLElement;
  private draw: ((width: number) => Drawing) | undefined;
  private drawing: Drawing | undefined;
  private width = 0;

  /** @param id also the name of exported files */
  constructor(
    private readonly id: string,
    title: string,
    private readonly context: Context,
  ) {
    this.still = context.still ?? false;
    this.heading = el('h2', { id: `${id}-title` }, title);
    this.exports = this.exportButtons(title);
    const place = el('div', {
      ...{ class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': `${title}: numbers` },
    });
    this.numbers = new NumberTable(place, title);
    const open = context.view().tables.includes(id) ? { open: '' } : {};
    this.details = el('details', open, el('summary', {}, 'Numbers as a table'), place);
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
      el('header', {}, this.heading, this.tools, this.exports),
      this.summary,
      this.note,
      this.legend,
      stage,
      this.details,
    );
    new ResizeObserver(() => this.fit()).observe(this.charts);
  }

  /** Controls beside the title. */
  setTools(...tools: readonly HTMLElement[]): void {
    this.tools.replaceChildren(...tools);
  }

  /** What must be known of it beside what it says; nothing as a rule. */
  setNote(...content: readonly Child[]): void {
    this.note.replaceChildren(...content.filter((child) => child !== null && child !== undefined));
  }

  /** Draws now and at every new width. */
  show(summary: string, draw: (width: number) => Drawing): void {
    this.summary.textContent = summary;
    this.draw = draw;
    this.element.classList.remove('is-empty');
    this.exports.hidden = false;
    this.redraw();
  }

  /** In place of a chart: what is missing, and how to get it. */
  showEmpty(text: string, ...actions: readonly HTMLElement[]): void {
    this.draw = undefined;
    this.drawing = undefined;
    this.setNote();
    this.summary.textContent = '';
    this.element.classList.add('is-empty');
    this.exports.hidden = true;
    this.legend.replaceChildren();
    this.charts.replaceChildren(el('div', { class: 'empty' }, el('p', {}, text), ...actions));
  }

  /** Shows a tooltip above a point of the chart; lines are text. */
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
    // Plot names its groups, which only elements with a role may be.
    for (const chart of charts)
      for (const group of chart.querySelectorAll('g[aria-label]')) group.removeAttribute('aria-label');
    this.charts.replaceChildren(...charts);
    this.legend.replaceChildren(...legend);
    this.showNumbers();
    if (focused !== undefined) this.charts.querySelector<SVGElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  /** The table is made when it is looked at: a training that runs draws several times a second. */
  private showNumbers(): void {
    if (this.drawing && this.details.hasAttribute('open')) this.numbers.show(this.drawing.table);
  }

  private exportButtons(title: string): HTMLElement {
    const save = (label: string, act: (drawing: Drawing) => void | Promise<void>): HTMLElement =>
      button(label, () => this.drawing && void act(this.drawing), {
        appearance: 'icon',
        label: `Export “${title}” as ${label}`,
      });
    const { id, context } = this;
    return el(
      'div',
      { class: 'exports' },
      save('SVG', ({ charts }) => exportSvg(id, charts, context.send)),
      save('PNG', ({ charts }) => exportPng(id, charts, context.send)),
      save('CSV', ({ table }) => exportCsv(id, table, context.send)),
      save('JSON', ({ table }) => exportJson(id, table, context.send)),
    );
  }
}

/** The mark that has the focus, which a redraw must not lose. */
function focusedKey(charts: HTMLElement): string | undefined {
  const { activeElement } = document;
  return charts.contains(activeElement) ? (activeElement as SVGElement).dataset.key : undefined;
}

/** A sign and what it means. */
export function legendEntry(sign: SVGElement | HTMLElement, text: string): HTMLElement {
  return el('span', { class: 'legend-entry' }, sign, text);
}
