/**
 * Which run a chart draws: the newest of its kind, unless the user chose an older one in the list of runs. The choice is a
 * part of the view state; the runs do not change.
 */
import type { PanelRun } from '../../../src/protocol/panel';
import { t } from '../../support/l10n';
import { button } from '../../support/ui';
import { blockList, moment } from '../numbers';
import { titleWords } from './run-words';
import type { Card, Context } from '../sections/section';
import type { ViewState } from './view-state';

/** The card that can draw the run; undefined for a run that none draws. */
export function cardOf({ digest, foreign }: PanelRun, cards: readonly Card[]): Card | undefined {
  if (foreign) return undefined;
  const able = cards.flatMap((card) => [card, ...(card.parts ?? [])]).filter(({ show }) => show !== undefined);
  return able.find(({ has }) => has?.(digest)) ?? able.find(({ adds }) => adds?.(digest));
}

/** The runs that charts of this model may show. It returns the same array for the same runs. */
export function ownRuns(runs: readonly PanelRun[]): readonly PanelRun[] {
  const found = own.get(runs) ?? (runs.some(({ foreign }) => foreign) ? runs.filter(({ foreign }) => !foreign) : runs);
  own.set(runs, found);
  return found;
}

const own = new WeakMap<readonly PanelRun[], readonly PanelRun[]>();

/** Puts the chosen runs before the others, which are newest first. A chart draws the first run of its kind. */
export const inOrder = (runs: readonly PanelRun[], shown: readonly string[]): readonly PanelRun[] => [
  ...runs.filter(({ id }) => shown.includes(id)),
  ...runs.filter(({ id }) => !shown.includes(id)),
];

/** The view state that makes the panel draw the run. */
export function showing(
  run: PanelRun,
  runs: readonly PanelRun[],
  view: ViewState,
  cards: readonly Card[],
): Partial<ViewState> {
  const card = cardOf(run, cards);
  if (!card?.show) return {};
  const others = runs.filter((other) => view.shown.includes(other.id) && cardOf(other, cards) !== card);
  const holder = cards.find((each) => each === card || each.parts?.includes(card));
  return {
    ...card.show(run, { ...view, shown: others.map(({ id }) => id) }),
    ...(holder?.fold !== undefined && { more: 'open' }),
  };
}

export const isShown = ({ id }: PanelRun, { shown, chosen }: ViewState): boolean =>
  shown.includes(id) || Object.values(chosen).includes(id);

/** A note that a chart of several runs draws a chosen one, with a button to go back; empty if it draws the newest. */
export function shownNote(runs: readonly PanelRun[], isDrawn: (run: PanelRun) => boolean, context: Context, back = {}) {
  const { shown } = context.view();
  const run = runs.find((each) => shown.includes(each.id) && isDrawn(each));
  if (!run) return [];
  const others = { shown: shown.filter((id) => id !== run.id), ...back };
  return [t('Selected: {0}.', nameOf(run)), backButton(() => context.setView(others))];
}

export const backButton = (back: () => void): HTMLElement =>
  button(t('Show Newest'), back, { appearance: 'secondary' });

/** Title and time of a run, with the blocks that its model lacked and its adapter. */
export function nameOf({ title, digest: { started, removed, adapter } }: PanelRun): string {
  const blocks = removed.filter((block) => typeof block === 'number');
  const without = blocks.length === removed.length ? blockList(blocks) : removed.join(', ');
  return [
    titleWords(title),
    moment(started),
    ...(removed.length > 0 ? [t('without {0}', without)] : []),
    ...(adapter === undefined ? [] : [t('with {0}', adapter)]),
  ].join(', ');
}
