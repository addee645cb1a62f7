/** One model's text beside the others': it grows while it is written, and everything in it is text. */
import { el } from '../../support/dom';
import { counted } from '../../support/numbers';
import { button } from '../../support/ui';
import { differences } from './differences';
import { percent, seconds, short } from '../numbers';

export interface ColumnText {
  readonly label: string;
  readonly prompt: string;
  readonly text: string;
  readonly tokens: number;
  readonly timeToFirstToken: number | null;
  readonly tokensPerSecond: number | null;
  readonly repetition: number | null;
  /** Null while it is being written. */
  readonly stopped: string | null;
  /** Why it could not go on. */
  readonly failure?: string;
}

const ENDS: Readonly<Record<string, string>> = {
  eos: 'ended by itself',
  length: 'length reached',
  context: 'context is full',
  cancelled: 'stopped',
  failed: 'failed',
};
/** From here on a text repeats itself more than prose does. */
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
    const copyButton = button('Copy', () => this.shown && copy(this.shown.prompt + this.shown.text), {
      appearance: 'icon',
      label: 'Copy this text',
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
    const { label, prompt, stopped, repetition, failure } = text;
    this.label.textContent = label;
    this.body.setAttribute('aria-label', `Text of ${label}`);
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
      repetition === null ? '' : `${repetition >= REPETITIVE ? '⚠ ' : ''}repeats itself: ${percent(repetition)}`;
    this.meter.classList.toggle('is-high', (repetition ?? 0) >= REPETITIVE);
  }
}

function factsOf({ tokens, timeToFirstToken, tokensPerSecond, stopped }: ColumnText): string {
  if (tokens === 0 && stopped === null) return 'reading the prompt …';
  return [
    counted(tokens, 'token'),
    ...(tokensPerSecond === null ? [] : [`${short(tokensPerSecond, 3)} tokens/s`]),
    ...(timeToFirstToken === null ? [] : [`first after ${seconds(timeToFirstToken)}`]),
    ...(stopped === null ? [] : [ENDS[stopped] ?? stopped]),
  ].join(' · ');
}
