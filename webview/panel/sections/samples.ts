/** Compares the texts that up to four models generate from one prompt and one seed. */
import type { LiveSamples, PanelRun, PanelState } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, dropdown, enable } from '../../support/ui';
import { cardTitle, emptyLine } from '../card';
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
  const write = button(t('Generate'), () => form.write());
  const another = button(t('Try Next Seed'), () => form.writeAnother());
  const stop = button(t('Stop'), () => send({ type: 'samples/stop' }));
  const history = dropdown(t('History'), (samples) => setView({ samples: samples === NOW ? '' : samples }));
  const save = button(t('Export'), () => shown && exportFile('samples', exported(shown, model)), {
    label: t('Export these texts as JSON'),
  });
  const saveAll = button(t('Export All'), () => exportAll(), { label: t('Export All: the whole history as JSON') });
  const restore = button(t('Use These Settings'), () => shown && form.restore(shown));
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
      cardTitle('samples', t('Sample text'), t('How does the text read?')),
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

  /** The latest texts are exported once: as their run, if they have left one. */
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
        [...(writing || !chosen ? [{ value: NOW, label: writing ? t('Latest') : t('None') }] : []), ...choices],
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
    const what = all ? t('Not generated') : t('Generated');
    const when = shown.when === null ? what : `${what} ${moment(shown.when)}`;
    const outcome = some && !all ? t('{0}, {1} of {2} failed', when, failed, shown.texts.length) : when;
    how.textContent = `${outcome}: ${settingsText(shown.settings)}. `;
  }

  function showTexts(mark: boolean): void {
    const texts = shown?.texts ?? [];
    while (columns.length < texts.length) columns.push(new SampleColumn((text) => send({ type: 'clipboard', text })));
    columns.length = texts.length;
    if (grid.childElementCount !== texts.length || texts.length === 0) {
      const empty = emptyLine(t('Compare what up to four models write from one prompt.'));
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
      write.textContent = state.writing && !running ? t('Regenerate') : t('Generate');
      if (state.writing) status.textContent = running ? t('Generating') : outcomeOf(state.writing);
      draw(state.writing, ownRuns(state.runs), view.samples, view.markDifferences, view.asked);
    },
  };
}

const textsOf = ({ texts }: Written): string => texts.map(({ text }) => text).join();
