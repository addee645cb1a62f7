/** The field under the texts that goes on with them: the next turn of a chat, or more text. One for all columns. */
import type { LiveSamples } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, enable, textField } from '../../support/ui';

export class SampleReply {
  readonly element: HTMLElement;
  private readonly field;
  private readonly label = el('span', {}, t('Reply'));
  private readonly send;
  private readonly clear;
  private readonly note = el('p', { class: 'muted', role: 'status' });
  private isChat = false;
  private isAble = false;

  /** @param reply gets the next turn, empty for a text that simply goes on @param clear forgets the texts */
  constructor(
    private readonly reply: (prompt: string) => void,
    clear: () => void,
  ) {
    this.field = textField(t('Reply'), '', '', () => this.enable());
    this.field.replaceChildren(this.label);
    this.field.setAttribute('aria-label', t('Reply')); // the library takes it from words that are there at first
    this.field.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && !event.isComposing) this.go();
    });
    this.send = button(t('Send'), () => this.go());
    this.clear = button(t('New Chat'), clear);
    this.element = el('div', { class: 'reply' }, this.field, this.send, this.clear, this.note);
  }

  /** @param writing the texts that it goes on with; undefined hides it */
  show(writing: LiveSamples | undefined, trusted: boolean): void {
    this.element.hidden = writing === undefined;
    if (!writing) return;
    const { status, texts, chat = false, earlier } = writing;
    const isRunning = status === 'running' || status === 'queued';
    const isFull = texts.every(({ stopped }) => stopped === 'context');
    const hasText = texts.some(({ stopped }, i) => stopped !== 'failed' || (earlier?.[i]?.length ?? 0) > 0);
    this.isChat = chat;
    this.isAble = trusted && !isRunning && !isFull && hasText;
    this.label.textContent = chat ? t('Reply') : t('Continue with');
    this.field.setAttribute('aria-label', this.label.textContent);
    this.field.setAttribute(
      'placeholder',
      chat ? t('Goes to each model above') : t('Optional: text to append before continuing'),
    );
    this.send.textContent = chat ? t('Send') : t('Continue');
    this.clear.textContent = chat ? t('New Chat') : t('New Text');
    this.note.textContent = isFull ? t('The context window is full. Start a new chat.') : '';
    enable(this.clear, !isRunning);
    this.enable();
  }

  private enable(): void {
    enable(this.send, this.isAble && (!this.isChat || this.field.value.trim() !== ''));
  }

  private go(): void {
    if (this.send.hasAttribute('disabled')) return;
    const { value } = this.field;
    this.field.value = '';
    this.enable();
    this.reply(value);
  }
}
