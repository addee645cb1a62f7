/** One prompt, two to four models side by side, written at the same time from the same seed. */
import type { LiveSamples, PanelRun, PanelState } from '../../src/protocol/panel';
import { el } from '../support/dom';
import { button, dropdown, enable } from '../support/ui';
import { moment } from './numbers';
import { type ColumnText, SampleColumn } from './sample-column';
import { SampleForm } from './sample-form';
import { type Context, type Section, whenChanged } from './section';
import type { ViewState } from './view-state';

const NOW = '(now)';

export function samplesSection(context: Context): Section {
  const { send, setView } = context;
  const form = new SampleForm(context);
  const write = button('Write', () => form.write(), { appearance: 'primary' });
  const stop = button('Stop', () => send({ type: 'samples/stop' }));
  const history = dropdown('History', (samples) => setView({ samples: samples === NOW ? '' : samples }));
  const save = button('Export', () => exportTexts(), { label: 'Export these texts as JSON' });
  const status = el('p', { class: 'visually-hidden', role: 'status' });
  const grid = el('div', { class: 'samples-grid' });
  const columns: SampleColumn[] = [];
  let shown: readonly ColumnText[] = [];
  const element = el(
    'section',
    { class: 'card samples', 'aria-labelledby': 'samples-title' },
    el(
      'header',
      {},
      el('h2', { id: 'samples-title' }, 'How the text reads'),
      el('div', { class: 'tools' }, history.element, save),
    ),
    form.element,
    el('div', { class: 'form-actions' }, write, stop),
    status,
    grid,
  );

  function exportTexts(): void {
    send({ type: 'file/save', name: 'samples.json', content: { text: `${JSON.stringify(shown, null, 2)}\n` } });
  }

  const draw = whenChanged((writing: LiveSamples | null, runs: readonly PanelRun[], wanted: string, mark: boolean) => {
    const past = runs.filter(({ digest }) => (digest.samples?.texts.length ?? 0) > 0);
    const choices = past.map(({ id, title, digest }) => ({
      value: id,
      label: `${title.slice(0, 48)}, ${moment(digest.started)}`,
    }));
    history.show(
      [{ value: NOW, label: writing ? 'The latest' : 'None' }, ...choices],
      past.some(({ id }) => id === wanted) ? wanted : NOW,
    );
    const chosen = past.find(({ id }) => id === wanted) ?? (writing ? undefined : past[0]);
    shown = chosen ? textsOfRun(chosen) : writing ? textsOfLive(writing) : [];
    enable(save, shown.length > 0);
    while (columns.length < shown.length) columns.push(new SampleColumn((text) => send({ type: 'clipboard', text })));
    columns.length = shown.length;
    if (grid.childElementCount !== shown.length || shown.length === 0) {
      const empty = el(
        'div',
        { class: 'empty' },
        el('p', {}, 'Perplexity is one number. Let the models write, and read what they make of a prompt.'),
      );
      grid.replaceChildren(...(shown.length > 0 ? columns.map((column) => column.element) : [empty]));
    }
    for (const [i, text] of shown.entries()) {
      const first = shown.find((other) => other.prompt === text.prompt)!;
      columns[i].show(text, mark && text !== first ? first.text : undefined);
    }
  });

  return {
    element,
    update: (state: PanelState, view: ViewState) => {
      const running = state.writing?.status === 'running' || state.writing?.status === 'queued';
      form.update(state, view);
      enable(write, form.canWrite && !running);
      enable(stop, running);
      write.textContent = state.writing && !running ? 'Write Again' : 'Write';
      if (state.writing) status.textContent = running ? 'Writing' : 'The texts are complete';
      draw(state.writing, state.runs, view.samples, view.markDifferences);
    },
  };
}

const textsOfLive = ({ prompt, columns, texts, status }: LiveSamples): ColumnText[] =>
  texts.map((text, i) => ({
    ...text,
    label: columns[i],
    prompt,
    stopped: text.stopped ?? (status === 'failed' ? 'failed' : null),
  }));

export function textsOfRun({ digest: { samples } }: PanelRun): ColumnText[] {
  return samples!.texts.map((text) => ({
    ...text,
    label: samples!.columns[text.column] ?? '',
    prompt: samples!.prompts[text.prompt] ?? '',
  }));
}
