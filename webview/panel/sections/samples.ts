/** One prompt, two to four models side by side, written at the same time from the same seed. */
import type { LiveSamples, PanelRun, PanelState } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { button, dropdown, enable } from '../../support/ui';
import { jsonText } from '../charts/export';
import { moment } from '../numbers';
import { SampleColumn } from './sample-column';
import { SampleForm } from './sample-form';
import { exported, settingsText, type Written, writtenBy, writtenNow } from './sample-history';
import { outcomeOf } from './sample-outcome';
import { type Context, type Section, whenChanged } from './section';
import { ownRuns } from '../state/shown-runs';
import type { ViewState } from '../state/view-state';

const NOW = '(now)';

export function samplesSection(context: Context): Section {
  const { send, setView } = context;
  const form = new SampleForm(context);
  const write = button('Write', () => form.write(), { appearance: 'primary' });
  const another = button('Another Seed', () => form.writeAnother());
  const stop = button('Stop', () => send({ type: 'samples/stop' }));
  const history = dropdown('History', (samples) => setView({ samples: samples === NOW ? '' : samples }));
  const save = button('Export', () => shown && exportFile('samples', exported(shown, model)), {
    label: 'Export these texts as JSON',
  });
  const saveAll = button('Export All', () => exportAll(), { label: 'Export All: the whole history, as JSON' });
  const restore = button('Use These Settings', () => shown && form.restore(shown));
  const how = el('span', {});
  const circumstances = el('p', { class: 'chart-note' }, how, restore);
  const status = el('p', { class: 'visually-hidden', role: 'status' });
  const grid = el('div', { class: 'samples-grid' });
  const columns: SampleColumn[] = [];
  let model = '';
  let past: readonly PanelRun[] = [];
  let now: Written | undefined;
  let shown: Written | undefined;
  const element = el(
    'section',
    { class: 'card samples', 'aria-labelledby': 'samples-title', tabindex: '-1' },
    el(
      'header',
      {},
      el('h2', { id: 'samples-title' }, 'How the text reads'),
      el('div', { class: 'tools' }, history.element, save, saveAll),
    ),
    form.element,
    el('div', { class: 'form-actions' }, write, another, stop, form.advice),
    status,
    circumstances,
    grid,
  );

  const exportFile = (name: string, content: object): void =>
    send({ type: 'file/save', name: `${name}.json`, content: { text: jsonText(content) } });

  /** What was written last is in it once: its run, when it has left one. */
  function exportAll(): void {
    const all = past.map(writtenBy);
    const isKept = now && all.some((each) => textsOf(each) === textsOf(now!));
    exportFile(
      'samples-history',
      [...(now && !isKept ? [now] : []), ...all].map((each) => exported(each, model)),
    );
  }

  const draw = whenChanged(
    (
      writing: LiveSamples | null,
      runs: readonly PanelRun[],
      wanted: string,
      mark: boolean,
      asked: ViewState['asked'],
    ) => {
      past = runs.filter(({ digest }) => (digest.samples?.texts.length ?? 0) > 0);
      now = writing ? writtenNow(writing, asked) : undefined;
      const choices = past.map(({ id, title, digest }) => ({
        value: id,
        label: `${title.slice(0, 48)}, ${moment(digest.started)}`,
      }));
      const chosen = past.find(({ id }) => id === wanted) ?? (writing ? undefined : past[0]);
      history.show(
        [...(writing || !chosen ? [{ value: NOW, label: writing ? 'The latest' : 'None' }] : []), ...choices],
        chosen?.id ?? NOW,
      );
      shown = chosen ? writtenBy(chosen) : now;
      enable(save, shown !== undefined);
      enable(saveAll, past.length > 0 || now !== undefined);
      showHow();
      showTexts(mark);
    },
  );

  function showHow(): void {
    circumstances.hidden = shown?.settings === undefined;
    restore.hidden = shown?.when === null;
    if (!shown?.settings) return;
    const failed = shown.texts.filter(({ stopped }) => stopped === 'failed').length;
    const [all, some] = [failed === shown.texts.length, failed > 0];
    const when = shown.when === null ? '' : ` ${moment(shown.when)}`;
    const what = all
      ? `Not written${when}`
      : `Written${when}${some ? `, ${failed} of ${shown.texts.length} failed` : ''}`;
    how.textContent = `${what}: ${settingsText(shown.settings)}. `;
  }

  function showTexts(mark: boolean): void {
    const texts = shown?.texts ?? [];
    while (columns.length < texts.length) columns.push(new SampleColumn((text) => send({ type: 'clipboard', text })));
    columns.length = texts.length;
    if (grid.childElementCount !== texts.length || texts.length === 0) {
      const empty = el(
        'div',
        { class: 'empty' },
        el('p', {}, 'Perplexity is one number. Let the models write, and read what they make of a prompt.'),
      );
      grid.replaceChildren(...(texts.length > 0 ? columns.map((column) => column.element) : [empty]));
    }
    for (const [i, text] of texts.entries()) {
      const first = texts.find((other) => other.prompt === text.prompt)!;
      columns[i].show(text, mark && text !== first ? first.text : undefined);
    }
  }

  return {
    element,
    update: (state: PanelState, view: ViewState) => {
      const running = state.writing?.status === 'running' || state.writing?.status === 'queued';
      model = state.model.name;
      form.update(state, view);
      enable(write, state.trusted && form.canWrite && !running);
      enable(another, state.trusted && form.canWrite && !running);
      another.hidden = view.settings.sampling === null;
      enable(stop, running);
      write.textContent = state.writing && !running ? 'Write Again' : 'Write';
      if (state.writing) status.textContent = running ? 'Writing' : outcomeOf(state.writing);
      draw(state.writing, ownRuns(state.runs), view.samples, view.markDifferences, view.asked);
    },
  };
}

const textsOf = ({ texts }: Written): string => texts.map(({ text }) => text).join();
