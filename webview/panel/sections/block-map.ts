/**
 * The model as a strip that stays in view. Each block is a cell; a taller cell matters more, and a removed one is low and
 * striped. The text next to it has the size, speed and perplexity of the plan. Screen readers skip the strip, because the
 * importance chart has the same content.
 */
import type {
  PanelFamily,
  PanelModel,
  PanelPlan,
  PanelRun,
  PanelState,
  PanelText,
  WhatIfState,
} from '../../../src/protocol/panel';
import { blocksText } from '../../support/amounts';
import { el, withParts } from '../../support/dom';
import { t } from '../../support/l10n';
import { ranksOf } from '../charts/ranks';
import { speedupOf } from './family';
import { shortNumber, formatFactor } from '../../../src/format/numbers';
import { isFloat32 } from '../../../src/format/arithmetic';
import { numeric } from '../numbers';
import { onPanelRows } from '../state/rows';
import { type Section, whenChanged } from './section';
import { scoresOf } from './importance';
import { ownRuns } from '../state/shown-runs';

/** Shares of the height: of the least important block, of a removed one, and of one without a score. */
const [LEAST, REMOVED, UNKNOWN] = [0.34, 0.16, 0.62];

export function blockMapSection(): Section {
  const cells = el('div', { class: 'block-map-cells' });
  const summary = el('div', { class: 'block-map-words' });
  const element = el('div', { class: 'block-map', 'aria-hidden': 'true' }, cells, summary);

  /** Keeps the cells, so that CSS can animate their changes. */
  const drawStrip = whenChanged(
    (
      runs: readonly PanelRun[],
      blocks: number,
      { removed }: PanelPlan,
      criterion: string,
      shown: readonly string[],
    ) => {
      const scores = scoresOf(runs, shown);
      const score = scores.find((each) => each.criterion === criterion) ?? scores[0];
      const ranks = score ? ranksOf(score) : new Map<number, number>();
      while (cells.childElementCount > blocks) cells.lastElementChild!.remove();
      while (cells.childElementCount < blocks) cells.append(el('span', {}));
      cells.classList.toggle('is-dense', blocks > 64);
      for (const [block, cell] of ([...cells.children] as HTMLElement[]).entries()) {
        const rank = ranks.get(block);
        const share = rank === undefined ? UNKNOWN : LEAST + ((1 - LEAST) * rank) / ranks.size;
        const isRemoved = removed.includes(block);
        cell.classList.toggle('is-removed', isRemoved);
        cell.style.height = `${Math.round(100 * (isRemoved ? REMOVED : share))}%`;
      }
    },
  );

  const drawWords = whenChanged(
    (model: PanelModel, plan: PanelPlan, whatIf: WhatIfState, text: PanelText | null, family: PanelFamily) => {
      const kept = model.blocks - plan.removed.length;
      summary.replaceChildren(
        words(t('{0} of {1}'), String(kept), blocksText(family.parent?.there?.blocks ?? model.blocks)),
        words(t('speed {0}'), formatFactor(speedupOf({ model, plan, family }))),
        ...perplexityOf(onPanelRows(whatIf, text), plan.removed),
      );
    },
  );

  return {
    element,
    update: ({ runs, plan, whatIf, model, text, family }: PanelState, { criterion, shown }) => {
      drawStrip(ownRuns(runs), model.blocks, plan, criterion, shown);
      drawWords(model, plan, whatIf, text, family);
    },
  };
}

/** A text with its first value in bold. */
const words = (text: string, value: string, ...others: readonly string[]): HTMLElement =>
  el('span', {}, ...withParts(text, el('strong', {}, value), ...others));

/** The plan's perplexity; nothing if it is neither known nor being computed. */
function perplexityOf({ status, full, removed, ppl, precision }: WhatIfState, plan: readonly number[]): HTMLElement[] {
  const known = plan.length === 0 ? full : removed.join() === plan.join() ? ppl : null;
  const isComing = status === 'waiting' || status === 'computing';
  if (known === null && !isComing) return [];
  if (plan.length > 0 && known !== null && !isFloat32(precision)) {
    return [words(t('perplexity {0} (in int8; float32 follows)'), `≈ ${shortNumber(numeric(known))}`)];
  }
  return [words(t('perplexity {0}'), known === null ? '…' : shortNumber(numeric(known)))];
}
