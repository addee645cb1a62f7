/** The head of a card of the panel. */
import { el } from '../support/dom';

/** The title of a card, with the question that the card answers. The title is the element `${id}-title`. */
export const cardTitle = (id: string, title: string, question?: string): HTMLElement =>
  el(
    'div',
    { class: 'card-title' },
    el('h2', { id: `${id}-title` }, title),
    question === undefined ? null : el('p', { class: 'card-question' }, question),
  );
