/**
 * Which run a chart draws: the newest of its kind, unless the user chose an older one in the list of runs. The choice is a
 * part of the view state; the runs do not change.
 */
import type { PanelRun } from '../../../src/protocol/panel';
import { t } from '../../support/l10n';
import { button } from '../../support/ui';
import { blockList, moment } from '../numbers';
import { rowsOf } from './rows';
import { titleWords } from './run-words';
import type { Context } from '../sections/section';
import type { ViewState } from './view-state';

/** Cards by their CSS class. */
export type ChartName =
  'importance' | 'curve' | 'training' | 'healing' | 'accuracy' | 'samples' | 'speed-grid' | 'versus';

/** The chart that can draw the run; undefined for a run without a chart. */
export function chartOf({ digest, foreign }: PanelRun): ChartName | undefined {
  const { score, curve, training, heal, tasks, grid, versus, samples, retrained } = digest;
  if (foreign) return undefined;
  if (score && score.blocks.length > 0) return 'importance';
  if (curve && curve.points.length > 0) return 'curve';
  if (training && training.steps.length > 0) return 'training';
  if (heal) return 'healing';
  if (tasks) return 'accuracy';
  if (grid) return 'speed-grid';
  if (versus) return 'versus';
  if (samples && samples.texts.length > 0) return 'samples';
  return retrained && retrained.length > 0 ? 'curve' : undefined;
}

/** The runs that charts of this model may show. It returns the same array for the same runs. */
export function ownRuns(runs: readonly PanelRun[]): readonly PanelRun[] {
  const found = own.get(runs) ?? (runs.some(({ foreign }) => foreign) ? runs.filter(({ foreign }) => !foreign) : runs);
  own.set(runs, found);
  return found;
}

const own = new WeakMap<readonly PanelRun[], readonly PanelRun[]>();

/** Puts the chosen runs before the others, which are newest first. A chart draws the first run of its kind. */
export const inOrder = (runs: readonly PanelRun[], shown: readonly string[]): readonly PanelRun[] => [
  ...runs.filter(({ id }) => shown.includes(id)),
  ...runs.filter(({ id }) => !shown.includes(id)),
];

/** The view state that makes the panel draw the run. */
export function showing(run: PanelRun, runs: readonly PanelRun[], { shown }: ViewState): Partial<ViewState> {
  const chart = chartOf(run);
  const others = runs.filter((other) => shown.includes(other.id) && chartOf(other) !== chart).map(({ id }) => id);
  const { score, curve, retrained } = run.digest;
  switch (chart) {
    case 'importance':
      return { shown: [...others, run.id], criterion: score!.criterion };
    case 'curve':
      return { shown: [...others, run.id], text: rowsOf(curve ?? retrained![0]) };
    case 'training':
      return { training: run.id };
    case 'healing':
      return { healing: run.id };
    case 'accuracy':
      return { accuracy: run.id };
    case 'samples':
      return { samples: run.id };
    case 'speed-grid':
      return { grid: run.id };
    case 'versus':
      return { versus: run.id };
    case undefined:
      return {};
  }
}

export const isShown = ({ id }: PanelRun, view: ViewState): boolean => {
  const { shown, training, healing, accuracy, grid, versus, samples } = view;
  return shown.includes(id) || [training, healing, accuracy, grid, versus, samples].includes(id);
};

/** A note that a chart draws a chosen run, with a button to go back; empty if it draws the newest. */
export function shownNote(runs: readonly PanelRun[], shown: readonly string[], chart: ChartName, context: Context) {
  const run = runs.find((each) => shown.includes(each.id) && chartOf(each) === chart);
  if (!run) return [];
  const back = { shown: context.view().shown.filter((id) => id !== run.id), ...(chart === 'curve' && { text: '' }) };
  return [t('Selected: {0}.', nameOf(run)), backButton(() => context.setView(back))];
}

export const backButton = (back: () => void): HTMLElement =>
  button(t('Show Newest'), back, { appearance: 'secondary' });

/** Title and time of a run, with the blocks that its model lacked and its adapter. */
export function nameOf({ title, digest: { started, removed, adapter } }: PanelRun): string {
  const blocks = removed.filter((block) => typeof block === 'number');
  const without = blocks.length === removed.length ? blockList(blocks) : removed.join(', ');
  return [
    titleWords(title),
    moment(started),
    ...(removed.length > 0 ? [t('without {0}', without)] : []),
    ...(adapter === undefined ? [] : [t('with {0}', adapter)]),
  ].join(', ');
}
