/** The perplexity that the plan has when it is healed, or a button that heals it quickly and measures it. */
import type { PanelState, RetrainedDigest } from '../../../src/protocol/panel';
import { formatFactor, shortNumber } from '../../../src/format/numbers';
import { isFloat32 } from '../../../src/format/arithmetic';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { button, enable } from '../../support/ui';
import { numeric } from '../numbers';
import { healedWithout } from '../state/healed';
import { divergenceText } from '../state/likeness';
import { onPanelRows } from '../state/rows';
import { ownRuns } from '../state/shown-runs';
import type { Context, Section } from './section';

/** Its elements stay: a click must not be lost because a job reports progress meanwhile. */
export function healedFigure({ send }: Context): Section {
  const value = el('strong', {});
  const words = el('span', {});
  const measure = button('', () => send({ type: 'start/healed' }), { appearance: 'icon' });
  measure.classList.add('figure-action');
  const detail = el('span', { class: 'muted' }, words, measure);
  const element = el(
    'div',
    { class: 'figure-box healed' },
    el('dt', {}, t('Perplexity with healing')),
    el('dd', {}, value, detail),
  );
  return {
    element,
    update: (state) => {
      const { plan, text, runs, family, jobs, trusted } = state;
      const isPlan = plan.removed.length > 0;
      const found = isPlan ? healedWithout(plan.removed, ownRuns(runs), family.children, text) : undefined;
      const isHealing = jobs.some(({ kind }) => kind === 'heal');
      value.textContent = found ? shortNumber(numeric(found.ppl)) : '–';
      const isVain =
        !found &&
        ownRuns(runs).some(
          ({ digest: { heal } }) => heal?.weights === 'plain' && heal.removed.join() === plan.removed.join(),
        );
      const offers = isPlan && !found && !isHealing && !isVain;
      measure.hidden = !offers;
      words.hidden = offers;
      enable(measure, trusted && offers);
      const offer = t('Measure: {0}', plan.healingTime);
      if (measure.textContent !== offer) {
        measure.textContent = offer;
        measure.setAttribute('aria-label', offer);
      }
      measure.title = t(
        'Heals the plan on text that the whole model writes, and measures it. No checkpoint is written.',
      );
      words.textContent = isHealing ? t('Computing…') : wordsOf(state, found, isVain);
      words.title = words.textContent;
    },
  };
}

/** Compared with the plan as it is, or why there is no number. */
function wordsOf({ plan, whatIf, text }: PanelState, healed: RetrainedDigest | undefined, isVain: boolean): string {
  if (plan.removed.length === 0) return t('no block removed');
  if (isVain) return t('healing was no better');
  const { ppl, removed, precision } = onPanelRows(whatIf, text);
  if (!healed || ppl === null || !isFloat32(precision) || removed.join() !== plan.removed.join()) return '';
  const change = t('{0} of the plain plan’s', formatFactor(numeric(healed.ppl) / numeric(ppl)));
  return healed.kl === undefined ? change : `${change} · ${t('divergence {0}', divergenceText(healed.kl))}`;
}
