/**
 * One by one or all at once (Shortened LLaMA, Figure 5): perplexity by the number of removed blocks, of blocks that went
 * one by one and of blocks that went at once, before and after healing.
 */
import * as Plot from '@observablehq/plot';
import type { IterativeDigest, LikenessDigest } from '../../../src/protocol/panel';
import { formatPercent, shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { t } from '../../support/l10n';
import { blockList, formatMeasured } from '../numbers';
import type { ChartFrame, Drawing } from './frame';
import { legendEntry } from './legend';
import { type Chart, draw, margins, placesIn } from './plot';
import { perplexityScale, removedAxis, removedTicks, wholeRule } from './removed-axes';
import { lineSign, type SeriesStyle } from './series';
import { known, type Numbers, numbersBy } from './table';
import { addTargets, spot, type Target } from './targets';

const HEIGHT = 360;
const [LEFT, RIGHT] = [54, 18];

type LineKey = 'oneByOne' | 'oneByOnePlain' | 'atOnce' | 'atOncePlain';

interface Dot {
  readonly line: LineKey;
  readonly count: number;
  readonly removed: readonly number[];
  readonly likeness: LikenessDigest;
  readonly ppl: number;
  /** Seconds of training. */
  readonly seconds: number | null;
}

/** Healed is green and full, not healed is broken; at once is square. */
const styles = (): Readonly<Record<LineKey, SeriesStyle>> => ({
  oneByOne: styleOf('var(--good)', 'circle', '', t('One by one, healed after each')),
  oneByOnePlain: styleOf('var(--good)', 'circle', '4 3', t('The same blocks without healing')),
  atOnce: styleOf('var(--series-2)', 'square', '', t('At once, healed as long')),
  atOncePlain: styleOf('var(--series-2)', 'square', '4 3', t('At once, without healing')),
});

const styleOf = (color: string, symbol: SeriesStyle['symbol'], dash: string, name: string): SeriesStyle => ({
  ...{ color, symbol, dash, name },
  nameInText: name,
});

/** @param choose makes blocks the plan */
export function drawIterative(
  data: IterativeDigest,
  width: number,
  frame: ChartFrame,
  choose: (removed: readonly number[]) => void,
): Drawing {
  const look = styles();
  const dots = dotsOf(data).filter(({ ppl }) => Number.isFinite(ppl));
  const lines = (Object.keys(look) as LineKey[]).filter((line) =>
    dots.some((dot) => dot.line === line && dot.count > 0),
  );
  const svg = plotOf(data, dots, lines, look, width);
  const placeOf = placesIn(svg);
  const targets = dots
    .filter(({ line, count }) => count > 0 || line === 'oneByOne')
    .map((dot): Target => {
      const tip = tipOf(dot, look);
      return {
        key: `${dot.line}-${dot.count}`,
        ...spot(...placeOf(dot.count, dot.ppl), 22),
        label: tip.join(', '),
        tip: frame.still ? tip : [...tip, t('Click or press Enter to make this the plan')],
        act: () => choose(dot.removed),
      };
    });
  addTargets(svg, t('Points of the comparison'), targets, frame);
  return {
    charts: [svg],
    table: tableOf(dots, look),
    legend: lines.map((line) => legendEntry(lineSign(look[line]), look[line].name)),
  };
}

function dotsOf({ full, rounds, plain, oneShot }: IterativeDigest): Dot[] {
  const dot = (
    line: LineKey,
    removed: readonly number[],
    likeness: LikenessDigest,
    seconds: number | null = null,
  ): Dot => ({
    ...{ line, removed, likeness, seconds },
    count: removed.length,
    ppl: numeric(likeness.ppl),
  });
  // Every line starts at the unpruned model.
  const starts = (
    ['oneByOne', 'oneByOnePlain', ...(oneShot.length > 1 ? (['atOnce', 'atOncePlain'] as const) : [])] as const
  ).map((line) => dot(line, [], full));
  let spent = 0;
  return [
    ...starts,
    ...rounds.map(({ removed, healed, seconds }) => dot('oneByOne', removed, healed, (spent += seconds ?? 0))),
    ...plain.flatMap((likeness, r) => (rounds[r] ? [dot('oneByOnePlain', rounds[r].removed, likeness)] : [])),
    ...oneShot.map(({ removed, healed, seconds }) => dot('atOnce', removed, healed, seconds)),
    ...oneShot.map(({ removed, pruned }) => dot('atOncePlain', removed, pruned)),
  ];
}

function plotOf(
  { full }: IterativeDigest,
  dots: readonly Dot[],
  lines: readonly LineKey[],
  look: Readonly<Record<LineKey, SeriesStyle>>,
  width: number,
): Chart {
  const values = dots.map(({ ppl }) => ppl).filter((ppl) => ppl > 0);
  const longest = Math.max(1, ...dots.map(({ count }) => count));
  const of = (line: LineKey): Dot[] => dots.filter((dot) => dot.line === line);
  const healing = dots.flatMap((after) => {
    if (after.line !== 'atOnce') return [];
    const before = dots.find(({ line, count }) => line === 'atOncePlain' && count === after.count);
    return before && after.count > 0 ? [{ count: after.count, from: before.ppl, to: after.ppl }] : [];
  });
  return draw({
    ...{ width, height: HEIGHT, ...margins(28, RIGHT, 40, LEFT) },
    overflows: true,
    x: { domain: [0, longest], insetLeft: 8, insetRight: 12 },
    y: perplexityScale(values),
    marks: [
      removedAxis(removedTicks(longest, width - LEFT, 34)),
      ...wholeRule(numeric(full.ppl)),
      Plot.link(healing, {
        x1: 'count',
        x2: 'count',
        y1: 'from',
        y2: 'to',
        stroke: look.atOnce.color,
        strokeOpacity: 0.6,
        markerEnd: 'arrow',
      }),
      ...lines.flatMap((line) => {
        const { color, dash, symbol } = look[line];
        const isHealed = line === 'oneByOne' || line === 'atOnce';
        return [
          Plot.lineY(of(line), { x: 'count', y: 'ppl', stroke: color, strokeWidth: 1.8, strokeDasharray: dash }),
          Plot.dot(of(line), {
            x: 'count',
            y: 'ppl',
            symbol,
            r: 3.5,
            ...(isHealed ? { fill: color } : { fill: 'var(--paper)', stroke: color, strokeWidth: 1.6 }),
          }),
        ];
      }),
    ],
  });
}

function tipOf(
  { line, count, removed, likeness, ppl, seconds }: Dot,
  look: Readonly<Record<LineKey, SeriesStyle>>,
): string[] {
  if (count === 0) return [t('Original'), t('perplexity {0}', shortNumber(ppl))];
  return [
    t('{0}: {1} removed', look[line].name, count),
    t('perplexity {0}', shortNumber(ppl)),
    t('KL divergence {0} nats', shortNumber(numeric(likeness.kl), 3)),
    t('same next token {0}', formatPercent(numeric(likeness.top1))),
    ...(seconds === null || seconds === 0 ? [] : [t('{0} of healing', formatMeasured(seconds))]),
    t('blocks {0}', blockList(removed)),
  ];
}

const tableOf = (dots: readonly Dot[], look: Readonly<Record<LineKey, SeriesStyle>>): Numbers =>
  numbersBy(
    () => dots,
    [
      [t('Series'), ({ line }) => look[line].name],
      [t('Removed'), ({ count }) => count],
      [t('Perplexity'), ({ ppl }) => known(ppl)],
      [t('KL divergence'), ({ likeness }) => known(numeric(likeness.kl))],
      [t('Same next token'), ({ likeness }) => known(numeric(likeness.top1))],
      [t('Seconds of healing'), ({ seconds }) => seconds],
      [t('Blocks'), ({ removed }) => blockList(removed)],
    ],
  );
