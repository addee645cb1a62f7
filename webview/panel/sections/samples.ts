/** Compares the texts that up to four models generate from one prompt and one seed. */
import type { PanelRun, PanelState, RunDigest } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, checkbox, dropdown, enable, setTicked } from '../../support/ui';
import { cardTitle, emptyLine } from '../card';
import { jsonText } from '../charts/export';
import { moment } from '../numbers';
import { SampleColumn } from './sample-column';
import { SampleForm } from './sample-form';
import { exported, settingsText, type Written, writtenBy, writtenNow } from './sample-history';
import { outcomeOf } from './sample-outcome';
import { SampleReply } from './sample-reply';
import { type Card, choose, type Context, type Section, whenChanged, withChoice } from './section';
import { titleWords } from '../state/run-words';
import { ownRuns } from '../state/shown-runs';
import type { ViewState } from '../state/view-state';

const STATES = { waiting: t('Waiting'), generating: t('Generating'), done: t('Generated') } as const;
const NOW = '(now)';
/** No texts: the user begins again. */
const NONE = '(none)';

const NAME = 'samples';
const TITLE = t('Sample text');

export const samplesCard: Card = {
  name: NAME,
  title: TITLE,
  has: hasTexts,
  show: ({ id }, view) => withChoice(view, NAME, id),
  make: samplesSection,
};

function samplesSection(context: Context): Section {
  const { send, setView, view } = context;
  const write = button(t('Generate'), () => form.write());
  const another = button(t('Try Next Seed'), () => form.writeAnother());
  const stop = button(t('Stop'), () => send({ type: 'samples/stop' }));
  const form = new SampleForm(context, [write, another, stop]);
  const reply = new SampleReply(goOn, () => {
    send({ type: 'samples/clear' });
    setView({ ...withChoice(view(), NAME, NONE), asked: null });
    form.focus();
  });
  const history = dropdown(t('History'), (run) => choose(context, NAME, run === NOW ? '' : run));
  const mark = checkbox(t('Mark differences'), view().markDifferences, (markDifferences) =>
    setView({ markDifferences }),
  );
  const save = button(t('Export'), () => shown && exportFile('samples', exported(shown, model)), {
    appearance: 'icon',
    label: t('Export these texts as JSON'),
  });
  const saveAll = button(t('Export All'), () => exportAll(), {
    appearance: 'icon',
    label: t('Export All: the whole history as JSON'),
  });
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
    el('header', {}, cardTitle('samples', TITLE, t('How does the text read?'))),
    form.element,
    status,
    el(
      'div',
      { class: 'samples-head' },
      circumstances,
      el('div', { class: 'tools' }, mark, history.element, save, saveAll),
    ),
    grid,
    reply.element,
  );

  /** The next turn, with the sampling of now: the conversation keeps its template and system message. */
  function goOn(prompt: string): void {
    const { settings } = view();
    setView({ ...withChoice(view(), NAME, ''), asked: { prompt, settings } });
    send({ type: 'samples/reply', prompt, settings });
  }

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

  const draw = whenChanged(({ writing, runs, wanted, marked, asked, time }: Drawn) => {
    past = runs.filter(({ digest }) => hasTexts(digest));
    now = writing ? writtenNow(writing, asked) : undefined;
    const choices = past.map(({ id, title, digest }) => ({
      value: id,
      label: `${titleWords(title)}, ${moment(digest.started)}`,
    }));
    const isNew = wanted === NONE && !writing;
    const chosen = past.find(({ id }) => id === wanted) ?? (writing || isNew ? undefined : past[0]);
    history.show(
      [...(writing || !chosen ? [{ value: NOW, label: writing ? t('Latest') : t('None') }] : []), ...choices],
      chosen?.id ?? NOW,
    );
    shown = chosen ? writtenBy(chosen) : now;
    enable(save, shown !== undefined);
    enable(saveAll, past.length > 0 || now !== undefined);
    showHow();
    showTexts(marked, time);
  });

  function showHow(): void {
    circumstances.classList.toggle('is-empty', shown?.settings === undefined);
    restore.hidden = !shown?.settings || shown.when === null;
    how.textContent = '';
    if (!shown?.settings) return;
    const failed = shown.texts.filter(({ stopped }) => stopped === 'failed').length;
    const [all, some] = [failed === shown.texts.length, failed > 0];
    const what = all ? t('Not generated') : STATES[shown.state ?? 'done'];
    const when = shown.when === null ? what : `${what} ${moment(shown.when)}`;
    const outcome = some && !all ? t('{0}, {1} of {2} failed', when, failed, shown.texts.length) : when;
    how.textContent = `${outcome}: ${settingsText(shown.settings)}. `;
  }

  function showTexts(marked: boolean, time?: string): void {
    const texts = shown?.texts ?? [];
    while (columns.length < texts.length) columns.push(new SampleColumn((text) => send({ type: 'clipboard', text })));
    columns.length = texts.length;
    grid.dataset.texts = String(texts.length);
    if (grid.childElementCount !== texts.length || texts.length === 0) {
      const what = t('Compare what up to four models write from one prompt.');
      const takes = time === undefined ? '' : t('64 tokens of one model: {0}.', time);
      const empty = emptyLine(`${what} ${takes}`.trim());
      grid.replaceChildren(...(texts.length > 0 ? columns.map((column) => column.element) : [empty]));
    }
    for (const [i, text] of texts.entries()) {
      const first = texts.find((other) => other.prompt === text.prompt)!;
      columns[i].show(text, marked && text !== first ? first.text : undefined);
    }
  }

  return {
    element,
    update: (state: PanelState, view: ViewState) => {
      const running = state.writing?.status === 'running' || state.writing?.status === 'queued';
      model = state.model.name;
      form.update(state, view);
      setTicked(mark, view.markDifferences);
      enable(write, state.trusted && form.canWrite && !running);
      enable(another, state.trusted && form.canWrite && !running);
      another.hidden = view.settings.sampling === null;
      enable(stop, running);
      write.textContent = state.writing && !running ? t('Regenerate') : t('Generate');
      if (state.writing) status.textContent = running ? t('Generating') : outcomeOf(state.writing);
      draw({
        writing: state.writing,
        runs: ownRuns(state.runs),
        wanted: view.chosen[NAME] ?? '',
        marked: view.markDifferences,
        asked: view.asked,
        time: state.times.text,
      });
      reply.show(shown === now && state.writing ? state.writing : undefined, state.trusted);
    },
  };
}

/** What the texts depend on. */
type Drawn = Pick<PanelState, 'writing' | 'runs'> &
  Pick<ViewState, 'asked'> & {
    /** The run that the user chose. */
    readonly wanted: string;
    /** Differences are marked. */
    readonly marked: boolean;
    readonly time: string | undefined;
  };

function hasTexts({ samples }: RunDigest): boolean {
  return samples !== undefined && samples.texts.length > 0;
}

const textsOf = ({ texts }: Written): string => texts.map(({ text }) => text).join();
