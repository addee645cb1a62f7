/**
 * More Measurements: the cards outside the six steps, folded. They are made when the fold opens, one in a frame. The user's
 * choice is a part of the view; before it, the fold is open where a card has results, which must not hide.
 */
import type { PanelRun } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { ownRuns } from '../state/shown-runs';
import { accuracySection } from './accuracy';
import { iterativeSection } from './iterative';
import type { Context, Section } from './section';
import { speedSection } from './speed';
import { versusSection } from './versus';

/** The table of sizes is last: it grows with a plan, and nothing but the list of runs may move by that. */
const CARDS = [iterativeSection, accuracySection, versusSection, speedSection] as const;

/** Classes of what the fold holds and runs lead to. */
const INSIDE: readonly string[] = ['accuracy', 'speed-grid', 'versus'];

/** The view in which a card can be seen. */
export const unfolded = (card: string): { more?: string } => (INSIDE.includes(card) ? { more: 'open' } : {});

const hasResults = (runs: readonly PanelRun[]): boolean =>
  ownRuns(runs).some(({ digest: { iterative, tasks, grid, versus } }) => iterative ?? tasks ?? grid ?? versus);

/** @param again asks for another frame */
export function moreSection(context: Context, again: () => void): Section {
  const names = [t('Block after block'), t('Accuracy'), t('Depth against width'), t('Size and speed')].join(' · ');
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
      isOpen = view.more === '' ? hasResults(state.runs) : view.more === 'open';
      if (element.open !== isOpen) element.open = isOpen;
      if (!isOpen) return;
      if (made.length < CARDS.length) {
        made.push(CARDS[made.length](context));
        place.append(made.at(-1)!.element);
        again();
      }
      for (const section of made) section.update(state, view);
    },
  };
}
