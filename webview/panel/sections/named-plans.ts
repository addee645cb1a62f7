/** Plans with a name, side by side in a small table below a button: choose one, forget one, or keep the current plan. */
import type { NamedPlan, PanelModel, PanelState } from '../../../src/protocol/panel';
import { type JsonNumber, numeric } from '../../../src/format/json';
import { formatFactor, formatPercent, shortNumber } from '../../../src/format/numbers';
import { el } from '../../support/dom';
import { icon } from '../../support/icons';
import { t } from '../../support/l10n';
import { popup } from '../../support/popup';
import { button, enable } from '../../support/ui';
import { table } from '../charts/table';
import { blockList } from '../numbers';
import { onPanelRows } from '../state/rows';
import { type Context, type Section, whenChanged } from './section';

export function namedPlansSection({ send }: Context): Section {
  const opener = button(t('Plans'), () => box.toggle());
  const save = button(t('Save This Plan…'), () => {
    box.close();
    send({ type: 'plan/keep' });
  });
  const list = el('div', { class: 'table-scroll' });
  const content = el(
    'div',
    { class: 'popup plans', role: 'dialog', 'aria-label': t('Plans'), hidden: true },
    list,
    save,
  );
  const element = el('div', { class: 'menu-place' }, opener, content);
  const box = popup(opener, content, element, () =>
    content.querySelector<HTMLElement>('vscode-button:not([disabled])'),
  );

  const rowOf = ({ name, removed, ppl }: NamedPlan, isCurrent: boolean, model: PanelModel, full: JsonNumber | null) => {
    const use = button(name, () => send({ type: 'plan/use', name }), { appearance: 'link' });
    enable(use, !isCurrent);
    const forget = button(icon('trash'), () => send({ type: 'plan/forget', name }), {
      appearance: 'icon',
      label: t('Forget the plan {0}', name),
    });
    const here = el('span', { class: 'badge' }, t('this plan'));
    return [
      el('span', { class: 'cost-name' }, use, isCurrent ? here : null),
      ...numbers(removed, ppl, model, full),
      forget,
    ];
  };

  const draw = whenChanged(({ namedPlans: plans, plan, model, whatIf }: Drawn) => {
    const { removed } = plan;
    const isCurrent = (other: readonly number[]): boolean => other.join() === removed.join();
    opener.textContent = plans.length === 0 ? t('Plans') : t('Plans ({0})', plans.length);
    const isUnnamed = removed.length > 0 && !plans.some((each) => isCurrent(each.removed));
    const ppl = isCurrent(whatIf.removed) ? whatIf.ppl : null;
    const own = [t('This plan, without a name'), ...numbers(removed, ppl, model, whatIf.full), ''];
    const rows = [
      ...(isUnnamed ? [own] : []),
      ...plans.map((each) => rowOf(each, isCurrent(each.removed), model, whatIf.full)),
    ];
    const none = el('p', { class: 'muted' }, t('Keep plans under a name to compare them.'));
    const head = [t('Name'), t('Removed'), t('Size'), t('Perplexity'), ''];
    list.replaceChildren(rows.length === 0 ? none : table(t('Plans'), head, rows));
    enable(save, removed.length > 0);
  });
  return {
    element,
    update: ({ namedPlans, plan, model, whatIf, text }) =>
      draw({ namedPlans, plan, model, whatIf: onPanelRows(whatIf, text) }),
  };
}

/** What the list depends on. */
type Drawn = Pick<PanelState, 'namedPlans' | 'plan' | 'model' | 'whatIf'>;

/** Removed blocks, size beside the whole model's, and perplexity. */
function numbers(removed: readonly number[], ppl: JsonNumber | null, model: PanelModel, full: JsonNumber | null) {
  const share = 1 - (removed.length * model.parametersPerBlock) / model.parameters;
  const factor = ppl === null || full === null ? '' : ` (${formatFactor(numeric(ppl) / numeric(full))})`;
  return [
    el('span', { title: blockList(removed) }, String(removed.length)),
    formatPercent(share),
    ppl === null ? '–' : `${shortNumber(numeric(ppl))}${factor}`,
  ];
}
