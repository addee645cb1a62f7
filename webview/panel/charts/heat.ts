/**
 * The order in which every criterion removes blocks, as a table below the bars: a row for each criterion, a column for each
 * block under its bar, strong where the block goes first. It shows ranks because scores have no common unit. Rows have names
 * that choose a criterion; arrow keys move between cells, which tell their ranks.
 */
import type { PanelPlan, ScoreDigest } from '../../../src/protocol/panel';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import { type BlockPlace, LEFT } from './block-axis';
import type { ChartFrame } from './frame';
import { moveInGrid } from './grid-keys';
import { ranksOf, toneOf, TONES } from './ranks';
import { nameInText, seriesStyleOf } from './series';

const [TITLE, SIGNS, CELL, GAP, NAME] = [20, 15, 20, 3, 15];
/** A narrower chart has the names above their rows. */
const NAMES_BESIDE = 560;
/** About the width of a letter at this size, in pixels. */
const [LETTER, DIGIT] = [6.4, 6.2];
const LONGEST = 160;

export interface Heat {
  /** Criteria with ranks. */
  readonly ranked: readonly ScoreDigest[];
  readonly plan: PanelPlan;
  /** Blocks from left to right. */
  readonly order: readonly number[];
  /** The criterion whose scores are the bars. */
  readonly shown: ScoreDigest;
  readonly width: number;
  /** Left margin. */
  readonly left: number;
}

const nameOf = ({ criterion }: ScoreDigest): string => seriesStyleOf(criterion).name;

/** The left margin of the bars and the table: as wide as the longest name where names are beside their rows. */
export function leftOfHeat(ranked: readonly ScoreDigest[], width: number): number {
  if (ranked.length < 2 || width < NAMES_BESIDE) return LEFT;
  return Math.max(LEFT, Math.min(LONGEST, ...[Math.max(...ranked.map((score) => nameOf(score).length)) * LETTER + 24]));
}

/** Pixels from the top to a row. @param beside names are beside their rows */
const rowTop = (row: number, beside: boolean): number => TITLE + SIGNS + row * (CELL + GAP + (beside ? 0 : NAME));

export function heatTable(
  heat: Heat,
  places: (block: number) => BlockPlace,
  frame: ChartFrame,
  choose: (criterion: string) => void,
): SVGSVGElement {
  const { ranked, width } = heat;
  const beside = width >= NAMES_BESIDE;
  const height = rowTop(ranked.length, beside) + 2;
  const svg = svgEl('svg', {
    ...{ width, height, viewBox: `0 0 ${width} ${height}`, class: 'heat', 'font-size': 11 },
    role: 'grid',
    'aria-label': t('Removal order of the blocks by each criterion'),
  });
  svg.append(...titleOf(width));
  const rows = ranked.map((score, i) => {
    const top = rowTop(i, beside);
    const name = nameButton(score, heat, beside, top, choose);
    const cells = cellsOf(score, heat, places, top + (beside ? 0 : NAME));
    svg.append(svgEl('g', { role: 'row' }, svgEl('g', { role: 'rowheader' }, name), ...cells));
    return [name, ...cells];
  });
  svg.append(...signsOf(heat, places));
  moveInGrid(svg, rows, {
    show: (cell) => {
      const label = cell.getAttribute('aria-label')!;
      const [stage, box] = [svg.parentElement!.getBoundingClientRect(), cell.getBoundingClientRect()];
      frame.tip((box.left + box.right) / 2 - stage.left, box.top - stage.top, label.split(', '));
    },
    hide: () => frame.hideTip(),
  });
  return svg;
}

/** The title, and what tones mean. */
function titleOf(width: number): SVGElement[] {
  const [first, last] = [t('goes first'), t('last')];
  const from = width - last.length * 6 - 7;
  const swatches = Array.from({ length: TONES }, (_, tone) =>
    svgEl('rect', {
      x: from - (TONES - tone) * 15,
      y: 1,
      width: 14,
      height: 11,
      rx: 1.5,
      class: `heat-cell tone-${tone}`,
    }),
  );
  const words = (x: number, anchor: string, text: string): SVGElement =>
    svgEl('text', { x, y: 10.5, 'text-anchor': anchor, class: 'heat-words' }, text);
  const parts = [
    words(2, 'start', t('Removal order')),
    words(from - TONES * 15 - 5, 'end', first),
    ...swatches,
    words(width - 2, 'end', last),
  ];
  for (const part of parts) part.setAttribute('aria-hidden', 'true');
  return parts;
}

/** A ✕ above the column of each block of the plan, and a frame around it. */
function signsOf(
  { ranked, plan: { removed }, order, width }: Heat,
  places: (block: number) => BlockPlace,
): SVGElement[] {
  const beside = width >= NAMES_BESIDE;
  const frames = beside
    ? [{ top: rowTop(0, true), rows: ranked.length }]
    : ranked.map((_, i) => ({ top: rowTop(i, false) + NAME, rows: 1 }));
  return order
    .filter((block) => removed.includes(block))
    .map((block) => {
      const { center, bar } = places(block);
      const across = { x: center - bar / 2 - 1.5, width: bar + 3, rx: 2.5, fill: 'none' };
      return svgEl(
        'g',
        { class: 'heat-plan', 'aria-hidden': 'true' },
        svgEl('text', { x: center, y: TITLE + SIGNS - 5, 'text-anchor': 'middle', 'font-size': 10 }, '✕'),
        ...frames.map(({ top, rows }) =>
          svgEl('rect', { ...across, y: top - 1.5, height: rows * (CELL + GAP) - GAP + 3 }),
        ),
      );
    });
}

/** The name of a row. It is a button if the criterion has scores that can be bars. */
function nameButton(
  score: ScoreDigest,
  { shown, left }: Heat,
  beside: boolean,
  top: number,
  choose: (criterion: string) => void,
): SVGElement {
  const name = nameOf(score);
  const isShown = score === shown;
  const room = beside ? left - 14 : Infinity;
  const letters = Math.floor((room - 10) / LETTER);
  const text = name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
  const box = { x: 0, y: top, width: beside ? room : text.length * LETTER + 18, height: beside ? CELL : NAME, rx: 3 };
  const canShow = score.blocks.length > 0;
  const made = svgEl(
    'g',
    {
      class: `heat-name ${isShown ? 'is-shown' : ''} ${canShow ? 'is-button' : ''}`,
      'data-key': `heat-${score.criterion}-name`,
      tabindex: -1,
      ...(canShow
        ? {
            role: 'button',
            'aria-pressed': String(isShown),
            'aria-label': t('Show {0} as bars', nameInText(score.criterion)),
          }
        : { role: 'img', 'aria-label': t('{0}: removes blocks in turn', name) }),
    },
    svgEl('rect', box),
    svgEl('text', { x: 12, y: top + (beside ? CELL / 2 + 4 : 11), 'aria-hidden': 'true' }, text),
    isShown ? svgEl('path', { d: `M2 ${box.y + box.height / 2 - 4}l6 4-6 4Z`, class: 'heat-shown' }) : null,
  );
  if (canShow && !isShown) made.addEventListener('click', () => choose(score.criterion));
  return made;
}

function cellsOf(
  score: ScoreDigest,
  { plan, order }: Heat,
  places: (block: number) => BlockPlace,
  top: number,
): SVGElement[] {
  const ranks = ranksOf(score);
  const last = score.removals ? order.length : ranks.size; // the blocks that are not removed come after these
  const hasRoom = places(order[0]).bar > DIGIT * String(ranks.size).length + 2;
  return order.map((block) => {
    const { center, bar } = places(block);
    const rank = ranks.get(block);
    const tone = rank === undefined ? 'none' : String(toneOf(rank, last));
    const box = { x: center - bar / 2, y: top, width: bar, height: CELL, rx: Math.min(2, bar / 4) };
    return svgEl(
      'g',
      {
        role: 'gridcell',
        tabindex: -1,
        'data-key': `heat-${score.criterion}-${block}`,
        'aria-label': [
          t('{0}, block {1}', nameOf(score), block),
          rank === undefined ? t('no rank') : t('rank {0} of {1} (1 = removed first)', rank, ranks.size),
          ...(plan.removed.includes(block) ? [t('the plan removes it')] : []),
        ].join(', '),
      },
      svgEl('rect', { ...box, class: `heat-cell tone-${tone}` }),
      rank !== undefined && hasRoom
        ? svgEl(
            'text',
            {
              x: center,
              y: top + CELL / 2 + 3.5,
              'text-anchor': 'middle',
              'font-size': 10,
              class: `heat-rank on-${tone}`,
            },
            String(rank),
          )
        : null,
    );
  });
}
