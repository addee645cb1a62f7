/**
 * The row that stays in view while the page scrolls: the blocks as a control, Undo and Redo, and the primary button. Once
 * the figures are out of view, small ones stand beside the blocks.
 */
import type { PanelState } from '../../../src/protocol/panel';
import { formatBytes, formatFactor } from '../../../src/format/numbers';
import { el } from '../../support/dom';
import { icon } from '../../support/icons';
import { t } from '../../support/l10n';
import { button, enable } from '../../support/ui';
import { blockMapSection } from './block-map';
import { speedupOf } from './kin';
import { perplexityWord } from './figures';
import { nextSection } from './next-action';
import type { Context, Section } from './section';
import { sizeOf } from './verdict';

const NAMES = [t('blocks'), t('size'), t('speed'), t('perplexity')];

/** @param figures the large figures, which the small ones replace */
export function dockSection(context: Context, figures: HTMLElement): Section {
  const { send } = context;
  const [blocks, next] = [blockMapSection(context), nextSection(context)];
  const undo = button(icon('discard'), () => send({ type: 'plan/undo' }), { appearance: 'icon', label: t('Undo') });
  const redo = button(icon('redo'), () => send({ type: 'plan/redo' }), { appearance: 'icon', label: t('Redo') });
  const values = NAMES.map(() => el('strong', {}));
  const small = NAMES.map((name, i) => el('span', { class: 'mini' }, values[i], el('span', { class: 'muted' }, name)));
  const element = el(
    'section',
    { class: 'dock', 'aria-label': t('Plan') },
    el('div', { class: 'minis', 'aria-hidden': 'true' }, ...small), // the figures have the same content
    blocks.element,
    el('div', { class: 'history' }, undo, redo),
    next.element,
  );
  new IntersectionObserver(
    (entries) => {
      const { isIntersecting, boundingClientRect } = entries.at(-1)!; // a busy page gets several at once, the newest last
      element.classList.toggle('is-stuck', !isIntersecting && boundingClientRect.top < 100);
    },
    { rootMargin: '-56px 0px 0px 0px' },
  ).observe(figures);
  return {
    element,
    update: (state, view) => {
      enable(undo, state.plan.canUndo);
      enable(redo, state.plan.canRedo);
      for (const [i, word] of wordsOf(state).entries()) values[i].textContent = word;
      blocks.update(state, view);
      next.update(state, view);
    },
  };
}

const wordsOf = (state: PanelState): string[] => [
  `${state.model.blocks - state.plan.removed.length}/${state.model.blocks}`,
  formatBytes(sizeOf(state).bytes),
  formatFactor(speedupOf(state)),
  perplexityWord(state),
];
