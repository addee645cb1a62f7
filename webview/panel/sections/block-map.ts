/**
 * The model as a strip that stays in sight: a cell a block, the taller the more it matters, those that go sunken and
 * striped; beside it what is left. For the eye only: the importance chart has the same for everybody, to be acted on.
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
import { el } from '../../support/dom';
import { counted } from '../../support/numbers';
import { placesOf } from '../charts/ranks';
import { speedupOf } from './family';
import { numeric, short, times } from '../numbers';
import { onPanelRows } from '../state/rows';
import { type Section, whenChanged } from './section';
import { scoresOf } from './importance';
import { ownRuns } from '../state/shown-runs';

/** Shares of the height: of the least important block, of one that goes, and where nothing is known. */
const [LEAST, GONE, UNKNOWN] = [0.34, 0.16, 0.62];

export function blockMapSection(): Section {
  const cells = el('div', { class: 'block-map-cells' });
  const words = el('div', { class: 'block-map-words' });
  const element = el('div', { class: 'block-map', 'aria-hidden': 'true' }, cells, words);

  /** Cells stay, so that what changes can be seen to change. */
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
      const places = score ? placesOf(score) : new Map<number, number>();
      while (cells.childElementCount > blocks) cells.lastElementChild!.remove();
      while (cells.childElementCount < blocks) cells.append(el('span', {}));
      cells.classList.toggle('is-dense', blocks > 64);
      for (const [block, cell] of ([...cells.children] as HTMLElement[]).entries()) {
        const place = places.get(block);
        const share = place === undefined ? UNKNOWN : LEAST + ((1 - LEAST) * place) / places.size;
        const goes = removed.includes(block);
        cell.classList.toggle('goes', goes);
        cell.style.height = `${Math.round(100 * (goes ? GONE : share))}%`;
      }
    },
  );

  const drawWords = whenChanged(
    (model: PanelModel, plan: PanelPlan, whatIf: WhatIfState, text: PanelText | null, family: PanelFamily) => {
      const kept = model.blocks - plan.removed.length;
      words.replaceChildren(
        el(
          'span',
          {},
          el('strong', {}, String(kept)),
          ` of ${counted(family.parent?.there?.blocks ?? model.blocks, 'block')}`,
        ),
        el('span', {}, el('strong', {}, times(speedupOf({ model, plan, family }))), ' as fast'),
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

/** The plan's perplexity; nothing if it is neither known nor being computed. */
function perplexityOf({ status, full, removed, ppl }: WhatIfState, plan: readonly number[]): HTMLElement[] {
  const known = plan.length === 0 ? full : removed.join() === plan.join() ? ppl : null;
  const isComing = status === 'waiting' || status === 'computing';
  if (known === null && !isComing) return [];
  return [el('span', {}, 'perplexity ', el('strong', {}, known === null ? '…' : short(numeric(known))))];
}
