/** The perplexity that the plan has when it is healed; hidden until that was measured, which the card of healing offers. */
import type { PanelState, RetrainedDigest } from '../../../src/protocol/panel';
import { formatFactor, shortNumber } from '../../../src/format/numbers';
import { isFloat32 } from '../../../src/format/arithmetic';
import { numeric } from '../../../src/format/json';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { healedPlan } from '../state/healed';
import { divergenceText } from '../state/likeness';
import { onPanelRows } from '../state/rows';
import { ownRuns } from '../state/shown-runs';
import type { Section } from './section';

export function healedFigure(): Section {
  const [value, words] = [el('strong', {}), el('span', { class: 'muted' })];
  const element = el(
    'div',
    { class: 'figure-box healed' },
    el('dt', {}, t('Perplexity with healing')),
    el('dd', {}, value, words),
  );
  return {
    element,
    update: (state) => {
      const { found, isHealing, isVain } = healedPlan({ ...state, runs: ownRuns(state.runs) });
      element.hidden = !found && !isHealing && !isVain;
      value.textContent = found ? shortNumber(numeric(found.ppl)) : '–';
      words.textContent = isHealing ? t('Computing…') : wordsOf(state, found, isVain);
      words.title = words.textContent;
    },
  };
}

/** Compared with the plan as it is, or why there is no number. */
function wordsOf({ plan, whatIf, text }: PanelState, healed: RetrainedDigest | undefined, isVain: boolean): string {
  if (isVain) return t('healing was no better');
  const { ppl, removed, precision } = onPanelRows(whatIf, text);
  if (!healed || ppl === null || !isFloat32(precision) || removed.join() !== plan.removed.join()) return '';
  const change = t('{0} of the plain plan’s', formatFactor(numeric(healed.ppl) / numeric(ppl)));
  return healed.kl === undefined ? change : `${change} · ${t('KL divergence {0}', divergenceText(healed.kl))}`;
}
