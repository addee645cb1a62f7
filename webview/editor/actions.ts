/** What can be done with the model of the file, and why not. */
import type { FromEditorPage, ModelAction, ModelActions } from '../../src/protocol/editor';
import { el } from '../support/dom';
import { t } from '../support/l10n';
import { button, enable } from '../support/ui';

/** @param send tells the host what to do */
export function actionBar(
  { cannotPrune, isDamaged, cannotRun }: ModelActions,
  send: (message: FromEditorPage) => void,
): HTMLElement {
  const act = (action: ModelAction) => (): void => send({ type: 'act', action });
  const score = button(t('Score Blocks…'), act('score'), { appearance: 'primary' });
  const results = button(t('Open Results'), act('results'));
  const reveal = button(t('Reveal in Coppice View'), act('reveal'));
  enable(score, cannotPrune === undefined && cannotRun === undefined);
  enable(results, cannotPrune === undefined);
  enable(reveal, !isDamaged);
  const reason = cannotPrune === undefined ? cannotRun : t('Cannot be pruned: {0}.', cannotPrune);
  return el(
    'div',
    { class: 'actions', role: 'group', 'aria-label': t('Actions') },
    score,
    results,
    reveal,
    reason === undefined ? null : el('span', { class: 'quiet' }, reason),
  );
}

/** A value that leads to the actions: it puts the focus on the first that is there. */
export function linkToActions(value: string): HTMLElement {
  const link = el('a', { href: '#', title: t('Go to the actions') }, value);
  link.addEventListener('click', (event) => {
    event.preventDefault();
    const bar = document.querySelector('.actions');
    bar?.scrollIntoView({ block: 'nearest' });
    bar?.querySelector<HTMLElement>('vscode-button:not([disabled])')?.focus();
  });
  return link;
}
