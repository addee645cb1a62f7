/** What the strip of blocks means, and what can be done with the plan as a whole. */
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, enable } from '../../support/ui';
import { legendEntry } from '../charts/legend';
import { namedPlansSection } from './named-plans';
import type { Context, Section } from './section';

export function legendSection(context: Context): Section {
  const reset = button(t('Keep All Blocks'), () => context.send({ type: 'plan/set', removed: [] }));
  const plans = namedPlansSection(context);
  const sign = (kind: string): HTMLElement =>
    el('span', { class: `block-sign ${kind}`, 'aria-hidden': 'true' }, el('span', { class: 'block-bar' }));
  const element = el(
    'div',
    { class: 'plan-actions' },
    el(
      'div',
      { class: 'legend' },
      legendEntry(sign(''), t('Kept')),
      legendEntry(sign('is-removed'), t('Removed')),
      legendEntry(sign('is-protected'), t('Protected')),
      el('span', { class: 'muted' }, t('Taller bars matter more. Drag or Shift+click to select a range.')),
    ),
    el('span', { class: 'gap' }),
    reset,
    plans.element,
  );
  return {
    element,
    update: (state, view) => {
      enable(reset, state.plan.removed.length > 0);
      plans.update(state, view);
    },
  };
}
