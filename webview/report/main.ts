/** The program of a report. It draws the charts of the runs, model by model. It has no host, so files are downloads. */
import type { PanelMessage, PanelRun, RunDigest } from '../../src/protocol/panel';
import { el } from '../support/dom';
import { t } from '../support/l10n';
import { registerControls } from '../support/ui';
import { cardTitle } from '../panel/card';
import { SampleColumn } from '../panel/sections/sample-column';
import { settingsText, writtenBy } from '../panel/sections/sample-history';
import type { Context, Section } from '../panel/sections/section';
import { accuracySection } from '../panel/sections/accuracy';
import { curveSection } from '../panel/sections/curve';
import { gridSection } from '../panel/sections/grid';
import { healingSection } from '../panel/sections/healing';
import { importanceSection } from '../panel/sections/importance';
import { iterativeSection } from '../panel/sections/iterative';
import { measuredSection } from '../panel/sections/measured';
import { trainingSection } from '../panel/sections/training';
import { versusSection } from '../panel/sections/versus';
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

/** Whether a run has content for a card. */
const CONTENTS = {
  score: ({ score }) => (score?.blocks.length ?? 0) > 0,
  curve: ({ curve, retrained }) => (curve?.points.length ?? 0) > 0 || (retrained?.length ?? 0) > 0,
  training: ({ training }) => (training?.steps.length ?? 0) > 0,
  heal: ({ heal }) => heal !== undefined,
  tasks: ({ tasks }) => tasks !== undefined,
  iterative: ({ iterative }) => iterative !== undefined,
  cost: ({ cost }) => cost !== undefined,
  grid: ({ grid }) => grid !== undefined,
  versus: ({ versus }) => versus !== undefined,
} as const satisfies Record<string, (digest: RunDigest) => boolean>;

/** The cards for which these runs have content. */
function chapter(name: string, own: readonly PanelRun[], several: boolean): HTMLElement {
  const has = (part: keyof typeof CONTENTS): boolean => own.some(({ digest }) => CONTENTS[part](digest));
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
  sections = [
    ...(has('score') ? [importanceSection(context)] : []),
    ...(has('curve') ? [curveSection(context)] : []),
    ...(has('training') ? [trainingSection(context)] : []),
    ...(has('heal') ? [healingSection(context)] : []),
    ...(has('tasks') ? [accuracySection(context)] : []),
    ...(has('iterative') ? [iterativeSection(context)] : []),
    ...(has('cost') ? [measuredSection(context)] : []),
    ...(has('grid') ? [gridSection(context)] : []),
    ...(has('versus') ? [versusSection(context)] : []),
  ];
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
