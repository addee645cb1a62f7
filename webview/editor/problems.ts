/** The problems of the file, each with the place where it was found. */
import type { FileProblem } from '../../src/protocol/editor';
import { el } from '../support/dom';
import { problemsText } from '../support/amounts';
import { t } from '../support/l10n';
import { formatCount } from '../../src/format/numbers';

export function problemList(problems: readonly FileProblem[], count: number): HTMLElement {
  const more = count - problems.length;
  return el(
    'section',
    { 'aria-label': t('Problems') },
    el('h2', {}, problemsText(count)),
    el(
      'div',
      { class: 'problems', tabindex: 0, role: 'group', 'aria-label': t('List of problems') },
      el('ul', {}, ...problems.map(problemItem)),
    ),
    more > 0 ? el('p', { class: 'quiet' }, t('and {0} more', formatCount(more))) : null,
  );
}

function problemItem({ severity, what, why, action, file, field, offset }: FileProblem): HTMLElement {
  const place = [
    ...(file !== undefined ? [t('file {0}', file)] : []),
    ...(field !== undefined ? [t('field {0}', field)] : []),
    ...(offset !== undefined ? [t('byte {0}', formatCount(offset))] : []),
  ];
  return el(
    'li',
    { class: severity },
    el('strong', {}, el('span', { class: 'severity' }, severity === 'error' ? t('Error') : t('Warning')), ' ', what),
    why === '' ? null : el('div', {}, why),
    place.length > 0 ? el('div', { class: 'quiet mono' }, place.join(' · ')) : null,
    action === undefined ? null : el('div', {}, action),
  );
}
