/**
 * The model as a strip of blocks, which is the control of the plan. A taller cell matters more; a removed one is low and
 * striped. block-choice.ts has what mouse and keyboard do.
 */
import type { PanelPlan, PanelState, ScoreDigest } from '../../../src/protocol/panel';
import { shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { el } from '../../support/dom';
import { t } from '../../support/l10n';
import { ranksOf } from '../charts/ranks';
import { seriesStyleOf } from '../charts/series';
import { ownRuns } from '../state/shown-runs';
import type { ViewState } from '../state/view-state';
import { chooseBlocks } from './block-choice';
import { scoresOf } from './importance';
import { type Context, type Section, whenChanged } from './section';

/** Shares of the height: of the least important block, of a removed one, and of one without a score. */
const [LEAST, REMOVED, UNKNOWN] = [0.34, 0.16, 0.62];
/** Pixels that a number needs below its cell. */
const NUMBER_WIDTH = 20;

export function blockMapSection({ send }: Context): Section {
  const cells = el('div', {
    class: 'block-map-cells',
    role: 'group',
    'aria-label': t('Blocks: checked ones are kept'),
  });
  const tip = el('div', { class: 'tooltip', 'aria-hidden': 'true' });
  const element = el('div', { class: 'block-map' }, cells, tip);
  let tips: readonly (readonly string[])[] = [];

  function look(block: number): void {
    const cell = cells.children[block] as HTMLElement | undefined;
    if (!cell || !tips[block]) {
      hideTip();
      return;
    }
    tip.replaceChildren(...tips[block].map((line, i) => el(i === 0 ? 'strong' : 'span', {}, line)));
    tip.classList.add('is-shown');
    const half = tip.offsetWidth / 2;
    const middle = cell.offsetLeft + cell.offsetWidth / 2;
    tip.style.left = `${Math.max(half, Math.min(element.offsetWidth - half, middle))}px`;
  }
  const hideTip = (): void => tip.classList.remove('is-shown');
  cells.addEventListener('pointerleave', hideTip);
  cells.addEventListener('focusout', hideTip);
  chooseBlocks(cells, {
    toggle: (block) => send({ type: 'plan/toggle', block }),
    set: (removed) => send({ type: 'plan/set', removed }),
    looked: look,
  });

  /** Numbers stand below as many cells as there is room for. */
  function number(): void {
    const width = cells.clientWidth / Math.max(1, cells.childElementCount);
    const every = [1, 2, 5, 10, 20].find((step) => step * width >= NUMBER_WIDTH) ?? 50;
    for (const [block, cell] of [...cells.children].entries())
      cell.classList.toggle('is-numbered', block % every === 0);
  }
  new ResizeObserver(number).observe(cells);

  /** Keeps the cells, so that CSS can animate their changes and the focus stays. */
  const draw = whenChanged(({ runs, blocks, plan, criterion, shown }: Drawn) => {
    const scores = scoresOf(runs, shown);
    const score = scores.find((each) => each.criterion === criterion) ?? scores.at(0);
    const ranks = score ? ranksOf(score) : new Map<number, number>();
    while (cells.childElementCount > blocks) cells.lastElementChild!.remove();
    while (cells.childElementCount < blocks) cells.append(newCell(cells.childElementCount));
    cells.classList.toggle('is-dense', blocks > 64);
    tips = Array.from({ length: blocks }, (_, block) => wordsOf(block, plan, score, ranks));
    for (const [block, cell] of ([...cells.children] as HTMLElement[]).entries()) {
      const rank = ranks.get(block);
      const share = rank === undefined ? UNKNOWN : LEAST + ((1 - LEAST) * rank) / ranks.size;
      const isRemoved = plan.removed.includes(block);
      const isLocked = plan.locked.includes(block);
      cell.classList.toggle('is-removed', isRemoved);
      cell.classList.toggle('is-protected', isLocked || plan.protected.includes(block));
      cell.classList.toggle('is-locked', isLocked);
      cell.setAttribute('aria-checked', String(!isRemoved));
      cell.setAttribute('aria-label', tips[block].slice(0, -1).join(', '));
      if (isLocked) cell.setAttribute('aria-disabled', 'true');
      else cell.removeAttribute('aria-disabled');
      const bar = cell.querySelector<HTMLElement>('.block-bar')!;
      bar.style.height = `${Math.round(100 * (isRemoved ? REMOVED : share))}%`;
    }
    number();
  });
  return {
    element,
    update: ({ runs, plan, model }, { criterion, shown }) =>
      draw({ runs: ownRuns(runs), blocks: model.blocks, plan, criterion, shown }),
  };
}

/** What the cells depend on. */
type Drawn = Pick<PanelState, 'runs' | 'plan'> & Pick<ViewState, 'criterion' | 'shown'> & { readonly blocks: number };

const newCell = (block: number): HTMLElement =>
  el(
    'div',
    { class: 'block-cell', role: 'checkbox', tabindex: block === 0 ? 0 : -1, 'data-block': block },
    el('span', { class: 'block-place' }, el('span', { class: 'block-bar' })),
    el('span', { class: 'block-number', 'aria-hidden': 'true' }, String(block)),
  );

/** Lines about a block; the last one tells what a click does. */
function wordsOf(
  block: number,
  { removed, locked, protected: kept }: PanelPlan,
  score: ScoreDigest | undefined,
  ranks: ReadonlyMap<number, number>,
): string[] {
  const value = score?.blocks.find(({ index }) => index === block)?.score;
  const rank = ranks.get(block);
  const isRemoved = removed.includes(block);
  const isLocked = locked.includes(block);
  return [
    t('Block {0}', block),
    score && value !== undefined
      ? t('{0} {1}', seriesStyleOf(score.criterion).name, shortNumber(numeric(value)))
      : t('not scored'),
    ...(rank === undefined ? [] : [t('rank {0} of {1} (1 = removed first)', rank, ranks.size)]),
    isRemoved
      ? t('removed')
      : isLocked
        ? t('protected by a setting')
        : kept.includes(block)
          ? t('protected')
          : t('kept'),
    isLocked
      ? t('Protected by the setting coppice.keep')
      : isRemoved
        ? t('Click or press Space to keep')
        : t('Click or press Space to remove'),
  ];
}
