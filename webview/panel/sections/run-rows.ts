/**
 * The rows of the list of runs. A row that has not changed stays as it is, and the details of a run are made when its row
 * is opened: the list may have hundreds.
 */
import type { PanelRun } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { icon } from '../../support/icons';
import { t } from '../../support/l10n';
import { button, checkbox } from '../../support/ui';
import { scroller, table } from '../charts/table';
import { ago } from '../../../src/format/ago';
import { arithmeticText } from '../state/precisions';
import { kindIcon, titleWords } from '../state/run-words';
import { cardOf, isShown } from '../state/shown-runs';
import { runDetails } from './run-details';
import { resultOf } from './run-result';
import type { Card, Context } from './section';

/** Times in words are looked at this often. */
const CLOCK_MS = 30_000;
const COLUMNS = 5;

interface Drawn {
  readonly run: PanelRun;
  /** What the row depends on besides the run. */
  readonly key: string;
  readonly rows: readonly HTMLElement[];
}

export class RunRows {
  readonly element = scroller(t('Runs'));
  private readonly head = table(
    t('Runs, newest first'),
    [t({ message: 'Run', comment: 'Noun: a recorded job' }), t('When'), t('Result'), t('Computed in'), ''],
    [],
  );
  private readonly body = this.head.querySelector('tbody')!;
  private drawn = new Map<string, Drawn>();

  /** @param cards that draw runs @param showInChart draws the run in its card */
  constructor(
    private readonly context: Context,
    private readonly cards: readonly Card[],
    private readonly showInChart: (run: PanelRun) => void,
  ) {
    setInterval(() => this.tick(), CLOCK_MS);
  }

  /** @param model name of the panel's model, which rows do not repeat */
  show(runs: readonly PanelRun[], model: string): void {
    if (runs.length === 0) {
      this.drawn.clear();
      this.element.replaceChildren();
      return;
    }
    const focused = this.element.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset.focus
      : undefined;
    this.drawn = new Map(runs.map((run) => [run.id, this.draw(run, model)]));
    const rows = [...this.drawn.values()].flatMap((each) => each.rows);
    if (!same(rows, [...this.body.children])) this.body.replaceChildren(...rows);
    if (this.head.parentElement !== this.element) this.element.replaceChildren(this.head);
    if (focused !== undefined && !this.element.contains(document.activeElement))
      this.element.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  private draw(run: PanelRun, model: string): Drawn {
    const view = this.context.view();
    const [isTicked, isOpen] = [view.ticked.includes(run.id), view.openRuns.includes(run.id)];
    const key = JSON.stringify([isTicked, isOpen, isShown(run, view), model]);
    const before = this.drawn.get(run.id);
    if (before?.run === run && before.key === key) return before;
    const id = `run-${run.id}`;
    const row = this.row(run, model, { isTicked, isOpen, details: id });
    const details = isOpen
      ? [el('tr', { class: 'run-more', id }, el('td', { colspan: COLUMNS }, runDetails(run)))]
      : [];
    return { run, key, rows: [row, ...details] };
  }

  private row(
    run: PanelRun,
    model: string,
    { isTicked, isOpen, details }: { isTicked: boolean; isOpen: boolean; details: string },
  ): HTMLElement {
    const { id, title, digest, changed, unchecked = [], foreign } = run;
    const words = titleWords(title);
    const expand = el(
      'button',
      {
        type: 'button',
        class: 'run-expand',
        'aria-expanded': String(isOpen),
        'aria-controls': isOpen ? details : undefined,
        'aria-label': t('Details of {0}', words),
        'data-focus': `expand:${id}`,
      },
      icon(isOpen ? 'chevron-down' : 'chevron-right'),
    );
    expand.addEventListener('click', () => this.toggle('openRuns', id, !isOpen));
    const box = checkbox(words, isTicked, (on) => this.toggle('ticked', id, on));
    box.dataset.focus = `tick:${id}`;
    const { name } = digest.model;
    const notes = [
      ...(foreign ? [el('span', { class: 'muted' }, t('from another model with this name'))] : []),
      ...(name !== model && name !== '' ? [el('span', { class: 'muted' }, name)] : []),
      ...(changed.length > 0 ? [el('span', { class: 'warning' }, `⚠ ${changed.join('; ')}`)] : []),
      ...(unchecked.length > 0 ? [el('span', { class: 'muted' }, unchecked.join('; '))] : []),
    ];
    const open = button(t('Open JSON'), () => this.context.send({ type: 'runs/open', id }), {
      appearance: 'icon',
      label: t('Open JSON of {0}', words),
    });
    open.dataset.focus = `open:${id}`;
    return el(
      'tr',
      { class: isOpen ? 'is-open' : undefined },
      el(
        'th',
        { scope: 'row' },
        el(
          'div',
          { class: 'run-name' },
          expand,
          icon(kindIcon(digest.kind)),
          box,
          ...(notes.length > 0 ? [el('div', { class: 'run-notes' }, ...notes)] : []),
        ),
      ),
      el('td', {}, timeOf(digest.finished)),
      el('td', {}, resultOf(run)),
      el('td', {}, arithmeticText(digest)),
      el(
        'td',
        {},
        el('span', { class: 'run-actions' }, ...(cardOf(run, this.cards) ? [this.showButton(run, words)] : []), open),
      ),
    );
  }

  private showButton(run: PanelRun, words: string): HTMLElement {
    const isDrawn = isShown(run, this.context.view());
    const show = button(isDrawn ? t('Shown in Charts') : t('Show in Charts'), () => this.showInChart(run), {
      appearance: 'icon',
      label: isDrawn ? t('Shown in Charts: {0}', words) : t('Show in Charts: {0}', words),
    });
    show.dataset.focus = `show:${run.id}`;
    return show;
  }

  private toggle(list: 'ticked' | 'openRuns', id: string, on: boolean): void {
    const others = this.context.view()[list].filter((other) => other !== id);
    this.context.setView({ [list]: on ? [...others, id] : others });
  }

  /** Times in words grow older while the panel is open. */
  private tick(): void {
    for (const time of this.body.querySelectorAll('time')) {
      const words = agoWords(time.dateTime);
      if (time.textContent !== words) time.textContent = words;
    }
  }
}

const timeOf = (iso: string): HTMLElement =>
  el('time', { datetime: iso, title: new Date(iso).toLocaleString() }, agoWords(iso));

/** In the language of the page. */
const agoWords = (iso: string): string =>
  ago(Date.parse(iso), { language: document.documentElement.lang, justNow: t('just now') });

const same = (a: readonly Element[], b: readonly Element[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i]);
