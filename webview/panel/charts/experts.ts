/**
 * A map of the scores of experts: a row for each block, a cell for each expert, in the order of the model. Tones are ranks within the
 * block, strong where an expert goes first; what goes has a line through it.
 */
import type { ExpertsDigest } from '../../../src/protocol/panel';
import { formatCount, shortNumber } from '../../../src/format/numbers';
import { svg as svgEl } from '../../support/dom';
import { t } from '../../support/l10n';
import type { ChartFrame, Drawing } from './frame';
import { legendEntry, sign } from './legend';
import { toneOf, TONES } from './ranks';
import { numbersBy } from './table';
import './experts.css';

const [LEFT, TOP, ROW, GAP] = [46, 18, 14, 2];

type Block = ExpertsDigest['blocks'][number];

interface Cell {
  readonly block: Block;
  readonly expert: number;
}

/** Ranks of the experts of a block from 1, which goes first; of equal scores the lower number. */
export function expertRanks({ scores }: Pick<Block, 'scores'>): number[] {
  const order = [...scores.keys()].sort((a, b) => scores[a] - scores[b] || a - b);
  const ranks = scores.map(() => 0);
  order.forEach((expert, i) => (ranks[expert] = i + 1));
  return ranks;
}

export function drawExperts(digest: ExpertsDigest, width: number, frame: ChartFrame): Drawing {
  const { blocks, before } = digest;
  const table = numbersBy<Cell>(
    () => blocks.flatMap((block) => block.scores.map((_, expert) => ({ block, expert }))),
    [
      [t('Block'), ({ block }) => block.index],
      [t('Expert'), ({ expert }) => expert],
      [t('Score'), ({ block, expert }) => block.scores[expert]],
      [t('Tokens'), ({ block, expert }) => block.tokens[expert]],
      [t('Kept'), ({ block, expert }) => (block.kept.includes(expert) ? t('yes') : t('no'))],
    ],
  );
  if (blocks.length === 0) return { charts: [], table };
  const height = TOP + blocks.length * (ROW + GAP);
  const cell = (width - LEFT) / before;
  const svg = svgEl('svg', {
    ...{ width, height, viewBox: `0 0 ${width} ${height}`, class: 'experts-map' },
    role: 'img',
    'aria-label': t('Scores of {0} experts in each of {1} blocks', before, blocks.length),
  });
  svg.append(axisText(LEFT, t('expert {0}', 0), 'start'), axisText(width, String(before - 1), 'end'));
  for (const [row, block] of blocks.entries()) {
    const y = TOP + row * (ROW + GAP);
    svg.append(
      svgEl('text', { x: LEFT - 6, y: y + ROW - 3, 'text-anchor': 'end', class: 'expert-axis' }, String(block.index)),
    );
    const ranks = expertRanks(block);
    for (const [expert, rank] of ranks.entries()) {
      const x = LEFT + expert * cell;
      const size = Math.max(1, cell - (cell > 4 ? 1 : 0));
      svg.append(
        svgEl('rect', { x, y, width: size, height: ROW, class: `heat-cell tone-${toneOf(rank, before)}` }),
        ...(block.kept.includes(expert)
          ? []
          : [svgEl('path', { d: `M${x} ${y + ROW}L${x + size} ${y}`, class: 'expert-gone' })]),
      );
    }
  }
  const at = (event: PointerEvent): Cell | undefined => {
    const box = svg.getBoundingClientRect();
    const [column, row] = [(event.clientX - box.left - LEFT) / cell, (event.clientY - box.top - TOP) / (ROW + GAP)];
    const block = row >= 0 ? blocks.at(Math.floor(row)) : undefined;
    return block && column >= 0 && column < before ? { block, expert: Math.floor(column) } : undefined;
  };
  svg.addEventListener('pointermove', (event) => {
    const found = at(event);
    if (!found) {
      frame.hideTip();
      return;
    }
    const row = blocks.indexOf(found.block);
    frame.tip(LEFT + (found.expert + 0.5) * cell, TOP + row * (ROW + GAP), wordsOf(found));
  });
  svg.addEventListener('pointerleave', () => frame.hideTip());
  return { charts: [svg], table, legend: legendOf() };
}

function wordsOf({ block, expert }: Cell): string[] {
  return [
    t('Block {0}, expert {1}', block.index, expert),
    t('score {0}', shortNumber(block.scores[expert])),
    t('rank {0} of {1} (1 = goes first)', expertRanks(block)[expert], block.scores.length),
    t('{0} tokens', formatCount(block.tokens[expert])),
    block.kept.includes(expert) ? t('stays') : t('goes'),
  ];
}

const axisText = (x: number, text: string, anchor: string): SVGElement =>
  svgEl('text', { x, y: 11, 'text-anchor': anchor, class: 'expert-axis' }, text);

function legendOf(): HTMLElement[] {
  const swatch = (tone: number): SVGElement =>
    svgEl('rect', { x: 1, y: 1, width: 13, height: 10, class: `heat-cell tone-${tone}` });
  const line = svgEl('path', { d: 'M1 11L14 1', class: 'expert-gone' });
  return [
    legendEntry(sign(15, swatch(0)), t('lowest scores of the block')),
    legendEntry(sign(15, swatch(TONES - 1)), t('highest')),
    legendEntry(sign(15, swatch(0), line), t('goes')),
  ];
}
