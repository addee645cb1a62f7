/** Parts of the panel's cards: their head, and figures. */
import { el } from '../support/dom';

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
