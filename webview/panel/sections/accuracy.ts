/** Accuracies in tasks of the newest run, or a chosen one: the chart, a table of differences, and items that differ. */
import type { PanelRun, TasksDigest } from '../../../src/protocol/panel';
import { formatCount } from '../../../src/format/numbers';
import { el } from '../../support/dom';
import { itemsText } from '../../support/amounts';
import { t } from '../../support/l10n';
import { drawAccuracy } from '../charts/accuracy';
import { scroller, table } from '../charts/table';
import { type Accuracy, type AccuracyRow, accuracyRows } from '../state/accuracies';
import { accuracyText, differenceText, isDifferent, pValueText } from '../state/accuracy-words';
import { modelText } from '../state/model-labels';
import { computedText } from '../state/precisions';
import { differingItems } from './differing-items';
import './accuracy.css';
import { runCard } from './run-card';

export const accuracyCard = runCard({
  chart: 'accuracy',
  title: t('Accuracy'),
  question: t('How many questions does each model answer?'),
  has: ({ tasks }) => tasks,
  empty: () => t('Probes, the paper’s seven tasks, or questions of your own show what perplexity hides.'),
  action: 'tasks',
  draw: ({ frame, context }) => {
    const place = scroller(t('Accuracies and differences'));
    const items = el('div', {});
    frame.element.append(place, items);
    return {
      run: ({ run, result, again, list }) => {
        frame.setTools(...again, ...list);
        frame.show(summaryOf(run, result), (width) => drawAccuracy(result, width, frame));
        place.replaceChildren(tableOf(result));
        items.replaceChildren(...differingItems(result, context.still));
      },
    };
  },
});

/** Which items, of which files, by which models and precision; and what the bars are. */
function summaryOf({ digest }: PanelRun, { models, files, from, limit }: TasksDigest): string {
  const [{ tasks, probes = [] }] = models;
  const count = itemsText(tasks.reduce((sum, { items }) => sum + items, 0));
  const questions = itemsText(probes.reduce((sum, { items }) => sum + items, 0));
  const part =
    limit === null && from === 0
      ? t('all records')
      : limit === null
        ? t('records from {0}', formatCount(from))
        : t('records {0} to {1}', formatCount(from), formatCount(from + limit - 1));
  const names = files.filter((name) => !name.endsWith('.lst'));
  const bars =
    models.length > 1
      ? t(
          'Bars: 95 % interval of the paired difference to {0}; of this model alone 1.96 standard errors.',
          modelText(models[0].label),
        )
      : t('Bars: 1.96 standard errors.');
  return [
    ...(tasks.length > 0 ? [t('{0} of {1} ({2}).', count, names.join(', ') || t('the task data'), part)] : []),
    ...(probes.length > 0 ? [t('{0} of probes, made from a seed.', questions)] : []),
    ...[computedText(digest), bars],
  ].join(' ');
}

function tableOf(tasks: TasksDigest): HTMLTableElement {
  const labels = tasks.models.map(({ label, model }) => modelText(label || model));
  const rows = accuracyRows(tasks).map(({ title, items, metric, models, unable }: AccuracyRow) => [
    el(
      'span',
      {},
      title,
      metric === 'accNorm' ? el('span', { class: 'muted' }, ' acc_norm') : undefined,
      unable ? el('span', { class: 'muted' }, ` ${unableText(models.length)}`) : undefined,
    ),
    formatCount(items),
    ...models.map(cell),
  ]);
  return table(t('Accuracy of each model in each task'), [t('Task'), t('Items'), ...labels], rows);
}

/** @param models beside each other */
const unableText = (models: number): string =>
  models > 1 ? t('(the original cannot do this either)') : t('(no better than guessing)');

/** "49.3 % ± 1.1", below it "−2.1 points ± 1.4" with the test in the tooltip. */
function cell(accuracy: Accuracy): HTMLElement {
  const { paired } = accuracy;
  const value = el('span', {}, accuracyText(accuracy));
  if (!paired) return el('span', { class: 'figure' }, value);
  const title = paired.items ? pValueText(paired.items) : t('Mean of the tasks’ differences');
  const words = el('span', { class: 'difference' }, differenceText(paired));
  words.classList.add(isDifferent(paired) ? 'is-different' : 'muted');
  return el('span', { class: 'figure', title }, value, words);
}
