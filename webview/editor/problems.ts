/** What is wrong with the file, each with its place in it. */
import type { FileProblem } from '../../src/protocol/editor';
import { el } from '../support/dom';
import { counted, formatCount } from '../support/numbers';

export function problemList(problems: readonly FileProblem[], count: number): HTMLElement {
  const more = count - problems.length;
  return el(
    'section',
    { 'aria-label': 'Problems' },
    el('h2', {}, counted(count, 'problem')),
    el(
      'div',
      { class: 'problems', tabindex: 0, role: 'group', 'aria-label': 'List of problems' },
      el('ul', {}, ...problems.map(problemItem)),
    ),
    more > 0 ? el('p', { class: 'quiet' }, `and ${formatCount(more)} more`) : null,
  );
}

function problemItem({ severity, what, why, action, file, field, offset }: FileProblem): HTMLElement {
  const place = [
    ...(file !== undefined ? [`file ${file}`] : []),
    ...(field !== undefined ? [`field ${field}`] : []),
    ...(offset !== undefined ? [`byte ${formatCount(offset)}`] : []),
  ];
  return el(
    'li',
    { class: severity },
    el('strong', {}, el('span', { class: 'severity' }, severity === 'error' ? 'Error' : 'Warning'), ' ', what),
    why === '' ? null : el('div', {}, why),
    place.length > 0 ? el('div', { class: 'quiet mono' }, place.join(' · ')) : null,
    action === undefined ? null : el('div', {}, action),
  );
}
