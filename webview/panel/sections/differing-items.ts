/** Items on which models differ: the question, its choices, the right one, and the answer of each model. */
import type { TasksDigest } from '../../../src/protocol/panel';
import { formatCount } from '../../../src/format/numbers';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button } from '../../support/ui';
import { taskTitle } from '../state/accuracies';
import { modelText } from '../state/model-labels';

type Question = TasksDigest['questions'][number];

/** Number of items that are shown at first, and with each click. */
const PAGE = 10;

/** @param still in a report, which shows all at once when they are opened */
export function differingItems({ models, differences, questions }: TasksDigest, still = false): HTMLElement[] {
  if (questions.length === 0) return [];
  const labels = models.map(({ label, model }) => modelText(label || model));
  const all = differences.map(({ tasks, probes = [] }) =>
    [...tasks, ...probes].reduce((sum, { differing }) => sum + differing, 0),
  );
  const most = Math.max(questions.length, ...all);
  const list = el('ol', { class: 'items' });
  const more = button(t('Show More'), () => showMore(), { appearance: 'secondary' });
  let count = 0;
  const showMore = (): void => {
    const next = questions.slice(count, still ? undefined : count + PAGE);
    list.append(...next.map((question) => itemOf(question, labels)));
    count += next.length;
    more.hidden = count >= questions.length;
  };
  const words =
    most > questions.length
      ? t('Items where models differ: {0} of {1}', formatCount(questions.length), formatCount(most))
      : t('Items where models differ: {0}', formatCount(questions.length));
  const details = el('details', { class: 'differing' }, el('summary', {}, words), list, more);
  details.addEventListener('toggle', () => {
    if (details.hasAttribute('open') && count === 0) showMore();
  });
  return [details];
}

function itemOf({ task, item, context, choices, gold, answers }: Question, labels: readonly string[]): HTMLElement {
  const chose = (choice: number): HTMLElement[] =>
    answers.flatMap((answer, m) => (answer === choice ? [badge(labels[m], choice === gold)] : []));
  const written = answers.flatMap((answer, m) =>
    answer !== null && typeof answer === 'object'
      ? [el('p', {}, badge(labels[m], answer.correct), ' ', el('span', { class: 'answer' }, answer.text))]
      : [],
  );
  const list = el(
    'ul',
    {},
    ...choices.map((text, choice) =>
      el(
        'li',
        { class: choice === gold || gold === null ? 'is-right' : '' },
        choice === gold || gold === null ? el('span', { class: 'right' }, `✓ ${t('right')} `) : undefined,
        text,
        ' ',
        ...chose(choice),
      ),
    ),
  );
  return el(
    'li',
    { class: 'item' },
    el('strong', {}, t('{0}, record {1}', taskTitle(task), item)),
    el('p', { class: 'item-text' }, context),
    list,
    ...written,
  );
}

/** Colour is not the only sign. */
const badge = (label: string, right: boolean): HTMLElement =>
  el('span', { class: right ? 'badge is-right' : 'badge is-wrong' }, `${right ? '✓' : '✕'} ${label}`);
