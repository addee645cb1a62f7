/** The list of recorded runs: actions on those that are ticked, and a comparison of several. */
import type { PanelRun, PanelState } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, enable } from '../../support/ui';
import { cardTitle, emptyLine } from '../card';
import { ComparisonView } from './comparison';
import { RunRows } from './run-rows';
import { type Card, type Context, type Section, whenChanged } from './section';
import { cardOf, showing } from '../state/shown-runs';
import type { ViewState } from '../state/view-state';

/** @param cards that draw runs */
export function runsSection(context: Context, cards: readonly Card[]): Section {
  const { send, view, setView } = context;
  const ticked = (runs: readonly PanelRun[]): string[] =>
    runs.map(({ id }) => id).filter((id) => view().ticked.includes(id));
  let latest: readonly PanelRun[] = [];
  const compare = button(t('Compare'), () => send({ type: 'runs/compare', ids: ticked(latest) }));
  const report = button(t('Export Report…'), () => send({ type: 'runs/report', ids: ticked(latest) }), {
    label: t('Export Report…: these runs as one HTML page'),
  });
  const card = button(t('Export Model Card…'), () => send({ type: 'runs/card', ids: ticked(latest) }), {
    label: t('Export Model Card…: these runs as Markdown'),
  });
  const recipe = button(t('Save as Recipe…'), () => send({ type: 'runs/recipe', ids: ticked(latest) }), {
    label: t('Save as Recipe…: these runs, or all that lead to the plan, as a file that makes the same again'),
  });
  const beforeAfter = button(t('Before and After'), () => send({ type: 'start', action: 'beforeAfter' }), {
    appearance: 'link',
    label: t('Before and After: the original beside what was made of it'),
  });
  const remove = button(t('Delete…'), () => send({ type: 'runs/delete', ids: ticked(latest) }));
  const list = new RunRows(context, cards, showInChart);
  const empty = el('div', { class: 'empty' });
  const unreadable = el('div', { class: 'muted' });
  const comparison = new ComparisonView(compare);
  const element = el(
    'section',
    { class: 'card runs', 'aria-labelledby': 'runs-title' },
    el(
      'header',
      {},
      cardTitle('runs', t('Runs')),
      empty,
      el('div', { class: 'tools' }, beforeAfter, compare, report, card, recipe, remove),
    ),
    list.element,
    unreadable,
    comparison.element,
  );

  const drawList = whenChanged(({ runs, unreadable: bad, model }: Drawn) => {
    latest = runs;
    const n = ticked(runs).length;
    enable(compare, n >= 2);
    enable(recipe, runs.length > 0);
    for (const action of [report, card, remove]) enable(action, n >= 1);
    unreadable.replaceChildren(
      ...(bad.length > 0
        ? [el('p', {}, t('These records cannot be read: {0}', bad.map(({ id, why }) => `${id} (${why})`).join('; ')))]
        : []),
    );
    element.classList.toggle('is-empty', runs.length === 0);
    empty.replaceChildren(
      ...(runs.length === 0 ? [emptyLine(t('Everything that is measured adds a record here.'))] : []),
    );
    list.show(runs, model.name);
  });

  /** Draws the run and scrolls to its card, which may be far above. */
  function showInChart(run: PanelRun): void {
    setView(showing(run, latest, view(), cards));
    const card = document.querySelector<HTMLElement>(`.card.${cardOf(run, cards)?.name}`);
    card?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: 'start' });
  }

  return {
    element,
    update: ({ runs, unreadable: bad, comparison: compared, model }, view: ViewState) => {
      const { ticked: marked, openRuns, shown, chosen } = view;
      drawList({ runs, unreadable: bad, model, ticked: marked, openRuns, shown, chosen });
      comparison.show(compared);
    },
  };
}

/** What the list depends on; also ticks, open rows, and what the charts show. */
type Drawn = Pick<PanelState, 'runs' | 'unreadable' | 'model'> &
  Pick<ViewState, 'ticked' | 'openRuns' | 'shown' | 'chosen'>;
