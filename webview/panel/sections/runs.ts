/** The list of recorded runs, with actions and with a warning if an input of a run has changed. */
import type { PanelRun, PanelState } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { formatCount, formatPercent, shortNumber } from '../../../src/format/numbers';
import { stepsText, textsText } from '../../support/amounts';
import { t } from '../../support/l10n';
import { button, checkbox, enable } from '../../support/ui';
import { cardTitle, emptyLine } from '../card';
import { ComparisonView } from './comparison';
import { moment, numeric } from '../numbers';
import { type Context, type Section, whenChanged } from './section';
import { modelText, ORIGINAL } from '../state/model-labels';
import { arithmeticText } from '../state/precisions';
import { chartOf, isShown, showing } from '../state/shown-runs';
import { table } from '../charts/table';
import type { ViewState } from '../state/view-state';

export function runsSection(context: Context): Section {
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
    label: t('Before and After: the original beside what was made of it'),
  });
  const remove = button(t('Delete…'), () => send({ type: 'runs/delete', ids: ticked(latest) }));
  const list = el('div', { class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': t('Runs') });
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
    list,
    unreadable,
    comparison.element,
  );

  const drawList = whenChanged(
    (
      runs: readonly PanelRun[],
      bad: PanelState['unreadable'],
      chosen: readonly string[],
      ..._drawn: readonly unknown[] // what the charts show
    ) => {
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
      if (runs.length === 0) {
        list.replaceChildren();
        return;
      }
      const focused = list.contains(document.activeElement)
        ? (document.activeElement as HTMLElement).dataset.focus
        : undefined;
      list.replaceChildren(
        table(
          t('Runs, newest first'),
          [t({ message: 'Run', comment: 'Noun: a recorded job' }), t('When'), t('Result'), t('Computed in'), ''],
          runs.map((run) => row(run, chosen)),
        ),
      );
      if (focused !== undefined) list.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
    },
  );

  function row(run: PanelRun, chosen: readonly string[]): (HTMLElement | string)[] {
    const { id, title, digest, changed, unchecked = [] } = run;
    const box = checkbox(title, chosen.includes(id), (on) =>
      setView({ ticked: on ? [...view().ticked, id] : view().ticked.filter((other) => other !== id) }),
    );
    box.dataset.focus = `tick:${id}`;
    const warning = changed.length > 0 ? el('span', { class: 'warning' }, `⚠ ${changed.join('; ')}`) : undefined;
    const unsure = unchecked.length > 0 ? el('span', { class: 'muted' }, unchecked.join('; ')) : undefined;
    const foreign = run.foreign ? el('span', { class: 'muted' }, t('from another model with this name')) : undefined;
    const open = button(t('Open'), () => send({ type: 'runs/open', id }), {
      appearance: 'icon',
      label: t('Open the record of {0}', title),
    });
    open.dataset.focus = `open:${id}`;
    return [
      el('span', { class: 'run-name' }, box, warning, unsure, foreign),
      moment(digest.started),
      resultOf(run),
      arithmeticText(digest),
      el('span', { class: 'run-actions' }, ...(chartOf(run) ? [showButton(run)] : []), open),
    ];
  }

  function showButton(run: PanelRun): HTMLElement {
    const isDrawn = isShown(run, view());
    const show = button(isDrawn ? t('Shown') : t('Show'), () => showInChart(run), {
      appearance: 'icon',
      label: isDrawn ? t('Shown in its chart: {0}', run.title) : t('Show {0} in its chart', run.title),
    });
    show.dataset.focus = `show:${run.id}`;
    return show;
  }

  /** Draws the run and scrolls to its card, which may be far above. */
  function showInChart(run: PanelRun): void {
    setView(showing(run, latest, view()));
    const card = document.querySelector<HTMLElement>(`.card.${chartOf(run)}`);
    card?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: 'start' });
  }

  return {
    element,
    update: ({ runs, unreadable: bad, comparison: compared }, view: ViewState) => {
      drawList(runs, bad, view.ticked, view.shown, view.training, view.healing, view.accuracy, view.samples);
      comparison.show(compared);
    },
  };
}

/** The result of a run, in a few words. */
function resultOf({
  digest: { kind, score, curve, training, heal, tasks, quality, cost, grid, samples },
}: PanelRun): string {
  if (score?.set) return t('without {0}', score.set.blocks.join(', '));
  if (score) {
    const order = [...score.blocks].sort((a, b) => numeric(a.score) - numeric(b.score)).slice(0, 4);
    return order.length > 0 ? t('least important: {0}', order.map(({ index }) => index).join(', ')) : '';
  }
  if (curve) return curve.points.length > 1 ? t('0 to {0} removed', curve.points.at(-1)!.count) : '';
  if (training) {
    const last = training.steps.at(-1);
    return last ? t('{0}, loss {1}', stepsText(last.step), shortNumber(numeric(last.loss))) : '';
  }
  if (heal) {
    const { before, rounded, after } = heal.heldOut ?? heal.fit ?? {};
    const [from, to] = [before, rounded ?? after].map((numbers) => shortNumber(numeric(numbers?.ppl)));
    return t('without {0}, perplexity {1} → {2}', heal.removed.join(', '), from, to);
  }
  if (tasks) {
    const averages = tasks.models.map(({ average }) => (average === null ? '–' : formatPercent(average)));
    return t('accuracy {0}', averages.join(' → '));
  }
  if (grid) {
    const { batches, newTokens, models } = grid;
    return t('{0} models, {1} texts of {2} tokens', models.length, batches.join(', '), newTokens.join(', '));
  }
  if (samples) return textsText(samples.texts.length);
  if (quality && quality.length > 0)
    return t('perplexity {0}', quality.map(({ ppl }) => shortNumber(numeric(ppl))).join(' → '));
  if ((kind === 'bench' || kind === 'speeds') && cost) {
    // Next to other models, the checkpoint has its own name.
    const named = cost.map(({ label, of, decodeTokensPerSecond }) => {
      const name = label === ORIGINAL && of ? of.model : modelText(label);
      return t('{0}: {1} tokens/s', name, shortNumber(numeric(decodeTokensPerSecond)));
    });
    return named.join(', ');
  }
  const last = cost?.at(-1);
  return last?.parameters ? t('{0}: {1} parameters', modelText(last.label), formatCount(last.parameters)) : '';
}
