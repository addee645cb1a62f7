/** The program of a report. It draws the charts of the runs, model by model. It has no host, so files are downloads. */
import type { PanelMessage, PanelRun } from '../../src/protocol/panel';
import { el } from '../support/dom';
import { t } from '../support/l10n';
import { registerControls } from '../support/ui';
import '../panel/panel.css';
import { cardTitle } from '../panel/card';
import { CARDS } from '../panel/cards';
import { SampleColumn } from '../panel/sections/sample-column';
import { settingsText, writtenBy } from '../panel/sections/sample-history';
import type { Context, Section } from '../panel/sections/section';
import { FIRST_VIEW, type ViewState } from '../panel/state/view-state';
import './report.css';
import { stateOf } from './state';

const place = document.getElementById('report')!;
const { runs } = JSON.parse(document.getElementById('data')!.textContent) as { readonly runs: readonly PanelRun[] };

function download(message: PanelMessage): void {
  if (message.type !== 'file/save') return;
  const { name, content } = message;
  const address =
    'text' in content ? URL.createObjectURL(new Blob([content.text])) : `data:image/png;base64,${content.base64}`;
  el('a', { href: address, download: name }).click();
}

/** The cards for which these runs have content. */
function chapter(name: string, own: readonly PanelRun[], several: boolean): HTMLElement {
  let view: ViewState = FIRST_VIEW;
  let sections: readonly Section[] = [];
  const state = stateOf(name, own);
  const draw = (): void => {
    for (const section of sections) section.update(state, view);
  };
  const context: Context = {
    send: download,
    view: () => view,
    setView: (changes) => {
      view = { ...view, ...changes };
      draw();
    },
    still: true,
  };
  sections = CARDS.flatMap((card) => [card, ...(card.parts ?? [])])
    .filter(({ has, adds }) => own.some(({ digest }) => [has, adds].some((fills) => fills?.(digest))))
    .map(({ make }) => make(context));
  const main = el('div', { class: 'grid' }, ...sections.map(({ element }) => element), ...own.flatMap(samplesOf));
  queueMicrotask(draw);
  return el('div', {}, ...(several ? [el('h2', { class: 'model-name' }, name)] : []), main);
}

function samplesOf(run: PanelRun): HTMLElement[] {
  if (!run.digest.samples) return [];
  const { texts, settings } = writtenBy(run);
  const columns = texts.map((text) => {
    const column = new SampleColumn((copied) => void navigator.clipboard.writeText(copied));
    column.show(text, undefined);
    return column.element;
  });
  return [
    el(
      'section',
      { class: 'card' },
      cardTitle(`samples-${run.id}`, t('Sample text'), t('How does the text read?')),
      ...(settings ? [el('p', { class: 'summary' }, t('Generated: {0}.', settingsText(settings)))] : []),
      el('div', { class: 'samples-grid', 'data-texts': columns.length }, ...columns),
    ),
  ];
}

registerControls();
const names = [...new Set(runs.map(({ digest }) => digest.model.name))];
place.append(
  ...names.map((name) =>
    chapter(
      name,
      runs.filter(({ digest }) => digest.model.name === name),
      names.length > 1,
    ),
  ),
);
