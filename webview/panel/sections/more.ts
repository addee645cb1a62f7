/**
 * More Measurements: the cards outside the six steps, folded. They are made when the fold opens, one in a frame. The user's
 * choice is a part of the view; before it, the fold is open where a card has results, which must not hide.
 */
import type { PanelRun } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { cardOf, ownRuns } from '../state/shown-runs';
import type { Card, Context, Section } from './section';

/** @param folded the cards in their order @param again asks for another frame */
export function moreSection(context: Context, folded: readonly Card[], again: () => void): Section {
  const names = folded.map(({ title }) => title).join(' · ');
  const place = el('div', { class: 'cards' });
  const element = el(
    'details',
    { class: 'more' },
    el('summary', {}, el('h2', {}, t('More Measurements')), el('span', { class: 'muted' }, names)),
    place,
  );
  const made: Section[] = [];
  let isOpen = false;
  element.addEventListener('toggle', () => {
    // The event also follows what `update` sets.
    if (element.open !== isOpen) context.setView({ more: element.open ? 'open' : 'closed' });
  });
  return {
    element,
    update: (state, view) => {
      isOpen = view.more === '' ? hasResults(state.runs, folded) : view.more === 'open';
      if (element.open !== isOpen) element.open = isOpen;
      if (!isOpen) return;
      if (made.length < folded.length) {
        made.push(withParts(folded[made.length], context));
        place.append(made.at(-1)!.element);
        again();
      }
      for (const section of made) section.update(state, view);
    },
  };
}

/** Whether one of the cards, or a part of one, draws a run. */
const hasResults = (runs: readonly PanelRun[], folded: readonly Card[]): boolean =>
  ownRuns(runs).some((run) => cardOf(run, folded) !== undefined);

/** The card, and in it those that belong to it. */
function withParts({ make, parts = [] }: Card, context: Context): Section {
  const [card, ...rest] = [make(context), ...parts.map((part) => part.make(context))];
  for (const { element } of rest) {
    element.classList.replace('card', 'card-part');
    card.element.append(element);
  }
  return {
    element: card.element,
    update: (state, view) => {
      for (const { update } of [card, ...rest]) update(state, view);
    },
  };
}
