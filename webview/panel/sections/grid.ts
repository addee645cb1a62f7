/** Speed and memory over batches and lengths: charts, and a table as the paper's Table 9. */
import { shortNumber } from '../../../src/format/numbers';
import type { GridCellDigest, GridDigest, GridModelDigest } from '../../../src/protocol/panel';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { dropdown } from '../../support/ui';
import { drawGrid } from '../charts/grid';
import { scroller, table } from '../charts/table';
import { moment } from '../numbers';
import { GRID_MEASURES, gibibytes, gridMeasure, type GridMeasure } from '../state/grid-measures';
import { perplexitiesOf } from '../state/grid-perplexity';
import { modelText } from '../state/model-labels';
import { computedText } from '../state/precisions';
import './grid.css';
import { runCard } from './run-card';
import { choose } from './section';

/** What its charts and its table show. */
const MEASURE = 'speed-grid.measure';

/** Hidden while there is nothing to draw: the card of speeds, which it is a part of, has the button that measures. */
export const gridCard = runCard({
  chart: 'speed-grid',
  title: t('Speed over batches'),
  question: t('How does each model scale?'),
  has: ({ grid }) => grid,
  facts: ({ text }, { chosen }) => ({ measure: gridMeasure(chosen[MEASURE] ?? ''), rowsKey: text?.rowsKey }),
  label: ({ digest }) => moment(digest.started),
  draw: ({ frame, context }) => {
    const measures = dropdown(t('Show'), (key) => choose(context, MEASURE, key));
    return {
      run: ({ run, result, list }, { measure, runs, rowsKey }) => {
        measures.show(
          GRID_MEASURES.map(({ key: value, name }) => ({ value, label: name })),
          measure.key,
        );
        frame.setTools(measures.element, ...list);
        frame.setNote(noteOf(result), computedText(run.digest));
        frame.setBelow(cellTable(result, measure));
        const quality = perplexitiesOf(result, runs, rowsKey);
        frame.show(summaryOf(result), (width) => drawGrid(result, measure, quality, width, frame));
      },
    };
  },
});

/** Each model that ran, in the largest cell that all of them ran. */
function summaryOf(grid: GridDigest): string {
  const models = grid.models.filter(({ cells }) => cells.some(({ measured }) => measured));
  const common = models
    .map(({ cells }) => cells)
    .reduce((some, cells) => some.filter((cell) => find(cells, cell)?.measured), models[0]?.cells ?? [])
    .filter(({ measured }) => measured);
  const largest = common.toSorted((a, b) => a.batch * a.newTokens - b.batch * b.newTokens).at(-1);
  if (!largest) return t('No model could be measured.');
  const parts = models.map((model) => {
    const { throughput, speedUp } = find(model.cells, largest)!.measured!;
    const speed = t('{0} {1} tokens/s', modelText(model.label), shortNumber(throughput.mean ?? NaN, 3));
    if (speedUp === null) return speed;
    const ideal = model.ideal === null ? '' : `, ${t('{0}× expected from its size', model.ideal.toFixed(2))}`;
    return `${speed} (${speedUp.toFixed(2)}×${ideal})`;
  });
  return t('{0} texts of {1} new tokens: {2}.', largest.batch, largest.newTokens, parts.join(', '));
}

const find = (cells: readonly GridCellDigest[], { batch, newTokens }: GridCellDigest): GridCellDigest | undefined =>
  cells.find((cell) => cell.batch === batch && cell.newTokens === newTokens);

function noteOf({ runs, warmup, inTurns, models, limitBytes }: GridDigest): string {
  const how = inTurns ? t('The models took turns.') : t('The models were measured one after another.');
  const several = models.length > 1 ? ` ${how}` : '';
  const limit =
    limitBytes === null
      ? ''
      : ` ${t('Memory may reach {0} GiB; what is predicted to need more was not run.', gibibytes(limitBytes))}`;
  return `${t('{0} runs of each cell after {1} warm-up runs; the bars are standard deviations.', runs, warmup)}${several}${limit}`;
}

/** A row for each model and a column for each cell. */
function cellTable(grid: GridDigest, measure: GridMeasure): HTMLElement {
  const cells = grid.newTokens.flatMap((newTokens) => grid.batches.map((batch) => ({ newTokens, batch })));
  const made = table(
    t('{0} of each model', measure.name),
    [t('Model'), ...cells.map(({ newTokens, batch }) => `L${newTokens} M${batch}`)],
    grid.models.map((model) => [
      modelText(model.label),
      ...cells.map((at) => {
        const cell = model.cells.find(({ batch, newTokens }) => batch === at.batch && newTokens === at.newTokens);
        return cellOf(cell, model, measure);
      }),
    ]),
  );
  return scroller(t('{0} of each model', measure.name), made);
}

function cellOf(cell: GridCellDigest | undefined, { failure }: GridModelDigest, measure: GridMeasure): HTMLElement {
  const { measured, outcome, predictedBytes = NaN } = cell ?? {};
  const predicted = t('{0} predicted', gibibytes(predictedBytes));
  if (outcome === 'oom') {
    const text = t('does not fit: {0} GiB predicted', gibibytes(predictedBytes));
    return el('span', { class: 'oom', title: text }, 'OOM', ' ', el('span', { class: 'muted' }, predicted));
  }
  const value = measured ? measure.valueOf(measured) : null;
  if (value === null)
    return el('span', { class: 'muted', title: cell?.failure ?? failure ?? '' }, measured ? '–' : t('failed'));
  const spread = measured ? measure.spreadOf?.(measured) : null;
  const detail = measure.key === 'memory' ? predicted : typeof spread === 'number' ? `± ${measure.words(spread)}` : '';
  return el('span', {}, measure.words(value), ' ', el('span', { class: 'muted' }, detail));
}
