/** Every run that left a record: draw again, open, compare, export, delete; and a warning where what it read has changed. */
import type { PanelRun, PanelState } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { counted } from '../../support/numbers';
import { button, checkbox, enable } from '../../support/ui';
import { ComparisonView } from './comparison';
import { moment, numeric, short } from '../numbers';
import { type Context, type Section, whenChanged } from './section';
import { chartOf, isShown, showing } from '../state/shown-runs';
import { table } from '../charts/table';
import type { ViewState } from '../state/view-state';

export function runsSection(context: Context): Section {
  const { send, view, setView } = context;
  const ticked = (runs: readonly PanelRun[]): string[] =>
    runs.map(({ id }) => id).filter((id) => view().ticked.includes(id));
  let latest: readonly PanelRun[] = [];
  const compare = button('Compare', () => send({ type: 'runs/compare', ids: ticked(latest) }));
  const report = button('Report…', () => send({ type: 'runs/report', ids: ticked(latest) }), {
    label: 'Report…: one HTML page with everything in these runs',
  });
  const card = button('Model Card…', () => send({ type: 'runs/card', ids: ticked(latest) }), {
    label: 'Model Card…: these runs as Markdown for a model card',
  });
  const remove = button('Delete…', () => send({ type: 'runs/delete', ids: ticked(latest) }));
  const list = el('div', { class: 'table-scroll', tabindex: '0', role: 'group', 'aria-label': 'Runs' });
  const unreadable = el('div', { class: 'muted' });
  const comparison = new ComparisonView(compare);
  const element = el(
    'section',
    { class: 'card runs', 'aria-labelledby': 'runs-title' },
    el(
      'header',
      {},
      el('h2', { id: 'runs-title' }, 'Runs'),
      el('div', { class: 'tools' }, compare, report, card, remove),
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
      ..._drawn: readonly unknown[] // which runs charts show
    ) => {
      latest = runs;
      const n = ticked(runs).length;
      enable(compare, n >= 2);
      for (const action of [report, card, remove]) enable(action, n >= 1);
      unreadable.replaceChildren(
        ...(bad.length > 0
          ? [
              el(
                'p',
                {},
                `Left alone, for they cannot be read: ${bad.map(({ id, why }) => `${id} (${why})`).join('; ')}`,
              ),
            ]
          : []),
      );
      if (runs.length === 0) {
        list.replaceChildren(
          el(
            'div',
            { class: 'empty' },
            el(
              'p',
              {},
              'Every scoring, curve, retraining and sample leaves a record here, so that each number can be traced.',
            ),
          ),
        );
        return;
      }
      const focused = list.contains(document.activeElement)
        ? (document.activeElement as HTMLElement).dataset.focus
        : undefined;
      list.replaceChildren(
        table(
          'Runs, newest first',
          ['Run', 'When', 'Result', 'Device', ''],
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
    box.dataset.focus = `tick ${id}`;
    const warning = changed.length > 0 ? el('span', { class: 'warning' }, `⚠ ${changed.join('; ')}`) : undefined;
    const unsure = unchecked.length > 0 ? el('span', { class: 'muted' }, unchecked.join('; ')) : undefined;
    const foreign = run.foreign ? el('span', { class: 'muted' }, 'of another model of this name') : undefined;
    const open = button('Open', () => send({ type: 'runs/open', id }), {
      appearance: 'icon',
      label: `Open the record of ${title}`,
    });
    open.dataset.focus = `open ${id}`;
    return [
      el('span', { class: 'run-name' }, box, warning, unsure, foreign),
      moment(digest.started),
      resultOf(run),
      digest.device ?? '',
      el('span', { class: 'run-actions' }, ...(chartOf(run) ? [showButton(run)] : []), open),
    ];
  }

  function showButton(run: PanelRun): HTMLElement {
    const isDrawn = isShown(run, view());
    const show = button(isDrawn ? 'Shown' : 'Show', () => showInChart(run), {
      appearance: 'icon',
      label: isDrawn ? `Shown in its chart: ${run.title}` : `Show ${run.title} in its chart`,
    });
    show.dataset.focus = `show ${run.id}`;
    return show;
  }

  /** Draws it and goes there: its card may be far above. */
  function showInChart(run: PanelRun): void {
    setView(showing(run, latest, view()));
    const card = document.querySelector<HTMLElement>(`.card.${chartOf(run)}`);
    card?.focus({ preventScroll: true });
    card?.scrollIntoView({ block: 'start' });
  }

  return {
    element,
    update: ({ runs, unreadable: bad, comparison: compared }, view: ViewState) => {
      drawList(runs, bad, view.ticked, view.shown, view.training, view.samples);
      comparison.show(compared);
    },
  };
}

/** What came out, in a few words. */
function resultOf({ digest: { kind, score, curve, training, quality, cost, samples } }: PanelRun): string {
  if (score) {
    const order = [...score.blocks].sort((a, b) => numeric(a.score) - numeric(b.score)).slice(0, 4);
    return order.length > 0 ? `least important: ${order.map(({ index }) => index).join(', ')}` : '';
  }
  if (curve) return curve.points.length > 1 ? `0 to ${curve.points.at(-1)!.count} removed` : '';
  if (training) {
    const last = training.steps.at(-1);
    return last ? `${counted(last.step, 'step')}, loss ${short(numeric(last.loss))}` : '';
  }
  if (samples) return counted(samples.texts.length, 'text');
  if (quality && quality.length > 0) return `perplexity ${quality.map(({ ppl }) => short(numeric(ppl))).join(' → ')}`;
  if (kind === 'bench' && cost) {
    // Beside other models the checkpoint goes by its name.
    const named = cost.map(({ label, of, decodeTokensPerSecond }) => {
      const name = label === 'Original' && of ? of.model : label;
      return `${name}: ${short(numeric(decodeTokensPerSecond))} tokens/s`;
    });
    return named.join(', ');
  }
  const last = cost?.at(-1);
  return last?.parameters ? `${last.label}: ${last.parameters.toLocaleString('en-US')} parameters` : '';
}
