/** The text of one model. It grows while the model generates. All content is text, never markup. */
import { formatMeasured } from '../numbers';
import { el } from '../../support/dom';
import { tokensText } from '../../support/amounts';
import { t } from '../../support/l10n';
import { button } from '../../support/ui';
import { differences } from './differences';
import { formatPercent, shortNumber } from '../../../src/format/numbers';
import { isFloat32 } from '../../../src/format/arithmetic';
import { modelText } from '../state/model-labels';
import { textPrecision } from '../state/precisions';

export interface ColumnText {
  readonly label: string;
  readonly prompt: string;
  readonly text: string;
  readonly tokens: number;
  readonly timeToFirstToken: number | null;
  readonly tokensPerSecond: number | null;
  /** What the model computed in; undefined while that is not known. */
  readonly precision?: string | null;
  readonly repetition: number | null;
  /** Why it ended; null while the model generates. */
  readonly stopped: string | null;
  /** Why generation failed. */
  readonly failure?: string;
}

const ENDS: Readonly<Record<string, string>> = {
  eos: t('ended by the model'),
  length: t('max tokens reached'),
  context: t('context full'),
  cancelled: t('stopped'),
  failed: t('failed'),
};
/** Above this share, a text repeats itself more than prose does. */
const REPETITIVE = 0.2;

export class SampleColumn {
  readonly element: HTMLElement;
  private readonly label = el('h3', {});
  private readonly facts = el('p', { class: 'muted' });
  private readonly body = el('div', { class: 'sample-text', tabindex: '0', role: 'group' });
  private readonly failure = el('p', { class: 'warning' });
  private readonly meter = el('p', { class: 'repetition' });
  private shown: ColumnText | undefined;

  constructor(copy: (text: string) => void) {
    const copyButton = button(t('Copy'), () => this.shown && copy(this.shown.prompt + this.shown.text), {
      appearance: 'icon',
      label: t('Copy this text'),
    });
    this.element = el(
      'article',
      { class: 'sample' },
      el('header', {}, this.label, copyButton),
      this.facts,
      this.body,
      this.failure,
      this.meter,
    );
  }

  /** @param reference the text to mark differences from; undefined for none */
  show(text: ColumnText, reference: string | undefined): void {
    this.shown = text;
    const { prompt, stopped, repetition, failure } = text;
    const label = modelText(text.label);
    this.label.textContent = label;
    this.body.setAttribute('aria-label', t('Text of {0}', label));
    this.facts.textContent = factsOf(text);
    const written =
      reference === undefined
        ? [text.text]
        : differences(text.text, reference).map((span) => (span.differs ? el('mark', {}, span.text) : span.text));
    const atEnd = this.body.scrollTop + this.body.clientHeight >= this.body.scrollHeight - 4;
    const caret = stopped === null ? [el('span', { class: 'caret', 'aria-hidden': 'true' }, '▍')] : [];
    this.body.replaceChildren(el('span', { class: 'muted' }, prompt), ...written, ...caret);
    if (atEnd) this.body.scrollTop = this.body.scrollHeight;
    this.failure.textContent = failure === undefined ? '' : `⚠ ${failure}`;
    this.meter.textContent =
      repetition === null
        ? ''
        : `${repetition >= REPETITIVE ? '⚠ ' : ''}${t('Repetition {0}', formatPercent(repetition))}`;
    this.meter.classList.toggle('is-high', (repetition ?? 0) >= REPETITIVE);
  }
}

function factsOf({ tokens, timeToFirstToken, tokensPerSecond, precision, stopped }: ColumnText): string {
  if (tokens === 0 && stopped === null) return t('Reading the prompt…');
  return [
    ...(isFloat32(precision) ? [] : [textPrecision(precision)]),
    tokensText(tokens),
    ...(tokensPerSecond === null ? [] : [t('{0} tokens/s', shortNumber(tokensPerSecond, 3))]),
    ...(timeToFirstToken === null ? [] : [t('first token after {0}', formatMeasured(timeToFirstToken))]),
    ...(stopped === null ? [] : [ENDS[stopped] ?? stopped]),
  ].join(' · ');
}
