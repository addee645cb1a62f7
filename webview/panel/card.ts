/** Parts of the panel's cards: their head, and figures. */
import { el } from '../support/dom';
import { button, enable } from '../support/ui';

/** The title of a card, with the question that the card answers. The title is the element `${id}-title`. */
export const cardTitle = (id: string, title: string, question?: string): HTMLElement =>
  el(
    'div',
    { class: 'card-title' },
    el('h2', { id: `${id}-title` }, title),
    question === undefined ? null : el('p', { class: 'card-question' }, question),
  );

/** A figure with a detail below it, for a list of class "figures". */
export const figure = (term: string, value: string, detail: string, kind = ''): HTMLElement =>
  el(
    'div',
    { class: `figure-box ${kind}` },
    el('dt', {}, term),
    el('dd', {}, el('strong', {}, value), el('span', { class: 'muted', title: detail }, detail)),
  );

/** What gets a card its first content. */
export interface EmptyAction {
  readonly label: string;
  readonly start: () => void;
  /** How long that takes, in words; undefined if it is unknown. */
  readonly time?: string;
  readonly enabled?: boolean;
}

/** The line of a card without content: one short sentence, and links to what fills the card. */
export const emptyLine = (words: string, ...actions: readonly EmptyAction[]): HTMLElement =>
  el(
    'div',
    { class: 'empty-line' },
    el('p', {}, words),
    ...actions.map(({ label, start, time = '', enabled = true }) => {
      const link = button(label, start, { appearance: 'link' });
      enable(link, enabled);
      return el('span', { class: 'empty-action' }, link, el('span', { class: 'time' }, time));
    }),
  );
