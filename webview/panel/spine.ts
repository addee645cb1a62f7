/**
 * The model as a strip that stays in sight: a cell a block, the taller the more it matters, those that go sunken and
 * striped; beside it what is left. For the eye only: the importance chart has the same for everybody, to be acted on.
 */
import type { PanelPlan, PanelRun, PanelState, WhatIfState } from '../../src/protocol/panel';
import { el } from '../support/dom';
import { placesOf } from './chart-ranks';
import { numeric, short, times } from './numbers';
import { type Section, whenChanged } from './section';
import { scoresOf } from './section-importance';
import { ownRuns } from './shown-runs';

/** Shares of the height: of the least important block, of one that goes, and where nothing is known. */
const [LEAST, GONE, UNKNOWN] = [0.34, 0.16, 0.62];

export function spineSection(): Section {
  const strip = el('div', { class: 'spine-strip' });
  const words = el('div', { class: 'spine-words' });
  const element = el('div', { class: 'spine', 'aria-hidden': 'true' }, strip, words);

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
      while (strip.childElementCount > blocks) strip.lastElementChild!.remove();
      while (strip.childElementCount < blocks) strip.append(el('span', {}));
      strip.classList.toggle('is-dense', blocks > 64);
      for (const [block, cell] of ([...strip.children] as HTMLElement[]).entries()) {
        const place = places.get(block);
        const share = place === undefined ? UNKNOWN : LEAST + ((1 - LEAST) * place) / places.size;
        const goes = removed.includes(block);
        cell.classList.toggle('goes', goes);
        cell.style.height = `${Math.round(100 * (goes ? GONE : share))}%`;
      }
    },
  );

  const drawWords = whenChanged((blocks: number, { removed, speedup }: PanelPlan, whatIf: WhatIfState) => {
    const known = removed.length === 0 ? whatIf.full : whatIf.removed.join() === removed.join() ? whatIf.ppl : null;
    words.replaceChildren(
      el('span', {}, el('strong', {}, String(blocks - removed.length)), ` of ${blocks} blocks`),
      el('span', {}, el('strong', {}, times(speedup)), ' as fast'),
      el('span', {}, 'perplexity ', el('strong', {}, known === null ? '…' : short(numeric(known)))),
    );
  });

  return {
    element,
    update: ({ runs, plan, whatIf, model }: PanelState, { criterion, shown }) => {
      drawStrip(ownRuns(runs), model.blocks, plan, criterion, shown);
      drawWords(model.blocks, plan, whatIf);
    },
  };
}
