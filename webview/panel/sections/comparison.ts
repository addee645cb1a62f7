/** A table that compares runs side by side. */
import type { Comparison } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button } from '../../support/ui';
import { otherVocabulariesNote } from '../state/vocabularies';
import { mixtureNote } from '../state/precisions';
import { titleWords } from '../state/run-words';
import { scroller, table } from '../charts/table';

export class ComparisonView {
  readonly element = el('div', { class: 'comparison' });
  private shown: Comparison | null = null;
  /** The user closed the comparison. The host does not need to know. */
  private closed = false;

  /** @param back gets the focus when the comparison is closed */
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
    const close = button(t('Close'), () => this.close(), { label: t('Close the comparison') });
    this.element.replaceChildren(
      el('header', {}, el('h3', {}, t('Comparison')), close),
      ...mixtureNote(compared.precisions ?? []).map((words) => el('p', { class: 'warning' }, words)),
      ...(compared.otherVocabularies ? [el('p', { class: 'warning' }, `⚠ ${otherVocabulariesNote()}`)] : []),
      scroller(
        t('Compared runs'),
        table(t('Compared runs. Rows with ≠ differ.'), ['', ...compared.titles.map(titleWords)], rows),
      ),
    );
  }

  private close(): void {
    this.closed = true;
    this.draw();
    this.back.focus();
  }
}
