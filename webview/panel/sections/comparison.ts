/** Runs beside each other, until they are closed. */
import type { Comparison } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { button } from '../../support/ui';
import { table } from '../charts/table';

export class ComparisonView {
  readonly element = el('div', { class: 'comparison' });
  private shown: Comparison | null = null;
  /** Set aside until another one comes: the host need not know. */
  private closed = false;

  /** @param back where the focus goes when it is closed */
  constructor(private readonly back: HTMLElement) {}

  show(compared: Comparison | null): void {
    if (compared === this.shown) return;
    this.shown = compared;
    this.closed = false;
    this.draw();
  }

  private draw(): void {
    const { shown: compared } = this;
    if (!compared || this.closed) {
      this.element.replaceChildren();
      return;
    }
    const rows = compared.rows.map(({ name, values, differs }) => {
      const words = (text: string): HTMLElement =>
        differs ? el('strong', {}, text) : el('span', { class: 'muted' }, text);
      return [words(differs ? `≠ ${name}` : name), ...values.map((value) => words(value || '–'))];
    });
    const close = button('Close', () => this.close(), { label: 'Close the comparison' });
    this.element.replaceChildren(
      el('header', {}, el('h3', {}, 'Compared'), close),
      el(
        'div',
        { class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': 'Runs compared' },
        table('Runs compared; rows with ≠ differ', ['', ...compared.titles], rows),
      ),
    );
  }

  private close(): void {
    this.closed = true;
    this.draw();
    this.back.focus();
  }
}
