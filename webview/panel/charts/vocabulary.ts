/** How many tokens occur how often in the texts of an application, and from which count on they stay. */
import * as Plot from '@observablehq/plot';
import type { VocabularyDigest, VocabularyRowDigest } from '../../../src/protocol/panel';
import { formatCount, formatPercent, shortCount } from '../../../src/format/numbers';
import { el } from '../../support/dom';
import { tokensText } from '../../support/amounts';
import { t } from '../../support/l10n';
import type { ChartFrame, Drawing } from './frame';
import { legendEntry } from './legend';
import { type Chart, draw, margins, placesIn } from './plot';
import { numbersBy } from './table';
import { addTargets, type Target } from './targets';
import { addThreshold } from './threshold';
import './vocabulary.css';

const HEIGHT = 220;
const [LEFT, RIGHT, TOP, BOTTOM] = [54, 18, 48, 40];

export interface ThresholdActions {
  /** The least count that the line is over. */
  readonly show: (row: VocabularyRowDigest) => void;
  /** The least count that the user has chosen. */
  readonly take: (row: VocabularyRowDigest) => void;
}

/** What the line can be at: the counted rows; of a written model its own least count. */
export function rowsOf({
  rows,
  counts,
  min,
  kept,
  parameters,
  heldOut,
}: VocabularyDigest): readonly VocabularyRowDigest[] {
  const { coverage, growth } = heldOut;
  const own = { min, kept, parameters: parameters.after, coverage, growth };
  if (rows.length === 0) return [own];
  const most = Math.max(min, ...counts.map(({ to }) => to));
  return rows.filter((row) => row.min <= most);
}

/** "at least 5 times" */
export const leastWords = (min: number): string => (min === 1 ? t('at least once') : t('at least {0} times', min));

/** @param row where the line is */
export function drawVocabulary(
  digest: VocabularyDigest,
  row: VocabularyRowDigest,
  width: number,
  frame: ChartFrame,
  actions: ThresholdActions,
): Drawing {
  const { counts } = digest;
  const table = numbersBy(
    () => rowsOf(digest),
    [
      [t('Least count'), ({ min }) => min],
      [t('Tokens that stay'), ({ kept }) => kept],
      [t('Parameters'), ({ parameters }) => parameters],
      [t('Held-out tokens that stay'), ({ coverage }) => coverage],
      [t('Times as many held-out tokens'), ({ growth }) => growth],
    ],
  );
  if (counts.length === 0) return { charts: [], table };
  const rows = rowsOf(digest);
  const svg = histogram(digest, rows, width);
  const placeOf = placesIn(svg);
  const isStill = frame.still || rows.length < 2;
  // Set below: the line lies over the bars, and a bar moves it.
  const line = { move: (_: number): void => undefined };
  const targets = counts.map(({ from, to, tokens }): Target => {
    const [[x1, y], [x2]] = [placeOf(from, tokens), placeOf(to + 1, 0)];
    const nearest = rows.findLastIndex(({ min }) => min <= from);
    const own = [t('{0}: {1}', timesWords(from, to), tokensText(tokens))];
    return {
      key: String(from),
      ...{ x: x1, y: TOP, width: Math.max(1, x2 - x1), height: HEIGHT - TOP - BOTTOM },
      ...{ tipX: (x1 + x2) / 2, tipY: y },
      tip: own,
      act: () => {
        frame.hideTip();
        if (isStill || nearest < 0) return;
        line.move(nearest);
        actions.take(rows[nearest]);
      },
    };
  });
  addTargets(svg, t('Tokens by how often they occur'), targets, frame);
  const stops = rows.map((each) => ({
    value: each.min,
    words: stopWords(each),
    x: placeOf(each.min, 0)[0],
  }));
  line.move = addThreshold(
    svg,
    {
      name: t('Least count of a token'),
      ...{ stops, at: Math.max(0, rows.indexOf(row)), left: LEFT, top: TOP, bottom: HEIGHT - BOTTOM },
      label: (stop) => t('stays: {0}', leastWords(rows[stop].min)),
      show: (stop) => actions.show(rows[stop]),
      take: (stop) => actions.take(rows[stop]),
    },
    isStill,
  );
  return {
    charts: [svg],
    table,
    legend: legendOf(),
  };
}

const legendOf = (): HTMLElement[] => [
  legendEntry(el('span', { class: 'vocabulary-kept sign' }), t('Stays')),
  legendEntry(el('span', { class: 'vocabulary-gone sign' }), t('Goes, unless another token is made of it')),
];

/** "at least 5 times: 768 tokens stay, 84 % of the held-out ones" */
function stopWords({ min, kept, coverage }: VocabularyRowDigest): string {
  const stay = t('{0}: {1} stay', leastWords(min), tokensText(kept));
  return coverage === null ? stay : `${stay}, ${t('{0} of the held-out tokens', formatPercent(coverage))}`;
}

const timesWords = (from: number, to: number): string => {
  if (from === to) return from === 1 ? t('Once') : t('{0} times', formatCount(from));
  return t('{0} to {1} times', formatCount(from), formatCount(to));
};

function histogram({ counts }: VocabularyDigest, rows: readonly VocabularyRowDigest[], width: number): Chart {
  const top = Math.max(2, ...counts.map(({ to }) => to + 1), ...rows.map(({ min }) => min));
  const every = Math.ceil(counts.length / Math.max(1, (width - LEFT - RIGHT) / 56));
  return draw({
    ...{ width, height: HEIGHT, ...margins(TOP, RIGHT, BOTTOM, LEFT) },
    x: { type: 'log', base: 2, domain: [1, top], label: null },
    y: { grid: true, nice: true, ticks: 4, tickFormat: shortCount, label: `↑ ${t('Tokens')}`, labelOffset: 50 },
    marks: [
      Plot.rect(counts, {
        ...{ x1: 'from', y1: 0, y2: 'tokens', insetLeft: 0.5, insetRight: 0.5 },
        x2: ({ to }: (typeof counts)[number]) => to + 1,
        fill: 'var(--kept)',
        className: 'vocabulary-bars',
      }),
      Plot.axisX({
        ticks: counts.map(({ from }) => from).filter((_, i) => i % every === 0),
        tickFormat: shortCount,
        tickSize: 0,
        label: `${t('Times that a token occurs in the texts')} →`,
        labelOffset: 36,
      }),
      Plot.ruleY([0]),
    ],
  });
}
