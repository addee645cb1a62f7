/** The figures of the plan, and how they were measured. */
import type { PanelState } from '../../../src/protocol/panel';
import { isFloat32 } from '../../../src/format/arithmetic';
import { formatFactor, formatPercent, shortCount, shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { figure } from '../card';
import { blockList, formatMeasured } from '../numbers';
import { agreementText, divergenceText } from '../state/likeness';
import { onPanelRows } from '../state/rows';
import { speedupOf } from './kin';
import { healedFigure } from './healed-figure';
import type { Section } from './section';
import { sizeOf } from './verdict';

export function figuresSection(): Section {
  const healed = healedFigure();
  const figures = el('dl', { class: 'figures' }, healed.element);
  const note = el('p', { class: 'muted plan-note', role: 'status' });
  return {
    element: el('div', { class: 'plan-figures' }, figures, note),
    update: (state, view) => {
      const shown = { ...state, whatIf: onPanelRows(state.whatIf, state.text) };
      while (figures.firstElementChild !== healed.element) figures.firstElementChild!.remove();
      healed.element.before(...figuresOf(shown));
      healed.update(state, view);
      figures.dataset.count = String(figures.children.length - Number(healed.element.hidden));
      note.textContent = noteOf(shown);
      note.title = note.textContent;
      note.classList.toggle('is-warning', state.plan.warning !== null && shown.whatIf.status !== 'failed');
    },
  };
}

/** The perplexity of the plan in a word: "≈ 47.6", "…" while it is computed, "–" if it is unknown. */
export function perplexityWord(state: PanelState): string {
  const shown = { ...state, whatIf: onPanelRows(state.whatIf, state.text) };
  const { plan, whatIf } = shown;
  const isCurrent = plan.removed.length === 0 || whatIf.removed.join() === plan.removed.join();
  const known = plan.removed.length === 0 ? whatIf.full : isCurrent ? whatIf.ppl : null;
  if (known === null) return whatIf.status === 'waiting' || whatIf.status === 'computing' ? '…' : '–';
  return `${isQuickOf(shown) ? '≈ ' : ''}${shortNumber(numeric(known))}`;
}

function figuresOf(state: PanelState): HTMLElement[] {
  const { model, plan, whatIf, kin } = state;
  const removed = plan.removed.length;
  const parent = kin.parent?.there;
  // The number of the plan before says nothing about this one.
  const known = removed === 0 ? whatIf.full !== null : whatIf.ppl !== null && isOfPlan(state);
  const isWaiting = waiting(state);
  const isQuick = isQuickOf(state);
  const about = isQuick ? '≈ ' : '';
  return [
    figure(
      t('Blocks kept'),
      t('{0} of {1}', model.blocks - removed, parent?.blocks ?? model.blocks),
      removed > 0 ? t('without {0}', blockList(plan.removed)) : parent ? t('of {0}', kin.parent.name) : t('all blocks'),
    ),
    figure(
      t('Parameters'),
      shortCount(plan.parameters),
      parent
        ? t('{0} from {1}', lessBy(plan.parameters, parent.parameters), kin.parent.name)
        : [sizeOf(state).words, ...(removed > 0 ? [lessBy(plan.parameters, model.parameters)] : [])].join(' · '),
    ),
    figure(
      t('Estimated speed'),
      formatFactor(speedupOf(state)),
      parent ? t('{0}: 1×', kin.parent.name) : t('original: 1×'),
    ),
    figure(
      t('Perplexity'),
      known ? about + shortNumber(numeric(removed === 0 ? whatIf.full : whatIf.ppl)) : '–',
      isQuick ? quickNote(state) : isWaiting ? t('Computing…') : changeOf(state),
      isWaiting ? 'is-waiting' : '',
    ),
    ...(removed === 0 || !(known || isWaiting)
      ? []
      : [
          figure(
            t('KL divergence'),
            known && !isQuick ? about + divergenceText(whatIf.kl) : '–',
            known && !isQuick ? agreementText(whatIf.top1) : t('Computing…'),
            isWaiting ? 'is-waiting' : '',
          ),
        ]),
  ];
}

/** "−5.3 %" */
const lessBy = (now: number, before: number): string => `−${formatPercent(1 - now / before)}`;

/** The perplexity was measured without the blocks that the plan removes. */
const isOfPlan = ({ plan, whatIf }: Pick<PanelState, 'plan' | 'whatIf'>): boolean =>
  whatIf.removed.join() === plan.removed.join();

/** The plan's numbers are those of int8, until float32 replaces them. */
const isQuickOf = ({ plan, whatIf }: PanelState): boolean =>
  plan.removed.length > 0 && whatIf.ppl !== null && isOfPlan({ plan, whatIf }) && !isFloat32(whatIf.precision);

/** What a quick number was measured in, and on. */
const quickNote = ({ whatIf: { readRows } }: PanelState): string =>
  readRows === undefined
    ? t('in int8; float32 follows')
    : t({
        message: 'int8, first {0} rows; float32 follows',
        args: [readRows],
        comment: 'Below a perplexity: rows of the calibration text',
      });

function waiting({ plan, whatIf: { status, removed, ppl, full } }: PanelState): boolean {
  const isCurrent = plan.removed.length === 0 ? full !== null : removed.join() === plan.removed.join() && ppl !== null;
  if (plan.removed.length === 0 && full !== null) return false; // a run has measured it
  return status === 'waiting' || status === 'computing' || (!isCurrent && status === 'done');
}

/** The perplexity compared with the whole model's; if no block is removed, with the parent's. */
function changeOf({ plan, whatIf, kin: { parent } }: PanelState): string {
  const full = numeric(whatIf.full);
  if (plan.removed.length > 0) {
    const isCurrent = whatIf.removed.join() === plan.removed.join() && whatIf.ppl !== null;
    return isCurrent && Number.isFinite(full)
      ? t('{0} of {1}', formatFactor(numeric(whatIf.ppl) / full), shortNumber(full))
      : '';
  }
  const before = numeric(parent?.there?.ppl);
  if (!Number.isFinite(before) || !Number.isFinite(full)) return t('no block removed');
  return t('{0} of {1} ({2})', formatFactor(full / before), shortNumber(before), parent!.name);
}

/** How the perplexity was measured. The text stays while the next one is computed, so that nothing moves on the page. */
function noteOf({ plan, journey, whatIf: { status, failure, text, seconds: time } }: PanelState): string {
  if (status === 'failed')
    return t('The perplexity of the plan could not be computed: {0}', failure ?? t('see the log'));
  // The warning takes the place of the text, which the chip above names too. A new line would move what is below.
  if (plan.warning !== null) return t('⚠ The plan {0}.', plan.warning);
  if (text === null) return '';
  const measured =
    time === null ? t('Measured on {0}.', text) : t('Measured on {0} in {1}.', text, formatMeasured(time));
  const doubt = journey.verdict.flatters ? [t('This text chose the blocks or fitted the weights.')] : [];
  const open = plan.removed.length === 0 ? [] : [t('The plan is not written yet.')];
  return [measured, ...doubt, ...open].join(' ');
}
