/**
 * How much every block matters. A bar goes from the perplexity of the whole model to that without the block, with the
 * interval of the difference; divergences from the unpruned model likewise. Bars of other criteria start at zero. A click on a
 * bar removes or keeps its block. The table below has the ranks of all criteria, block under block.
 */
import type { PanelPlan, ScoreDigest } from '../../../src/protocol/panel';
import { shortNumber } from '../../../src/format/numbers';
import { numeric } from '../../../src/format/json';
import { t } from '../../support/l10n';
import type { ChartFrame, Drawing } from './frame';
import { heatTable, leftOfHeat } from './heat';
import { drawBars, type DrawnBars, HEIGHT } from './importance-bars';
import { type Bar, barsOf, baseOf, fieldsOf, measureOf, orderOf, thresholdOf } from './importance-facts';
import { type Scale, scaleOf } from './importance-scale';
import { describe, hint, legendOf, tableOf } from './importance-words';
import type { RangePicker } from './range-picker';
import { ranksOf } from './ranks';
import { seriesStyleOf } from './series';
import { addTargets, type Target } from './targets';

/** Narrower charts have shorter words. */
const NARROW = 560;

export interface ImportanceData {
  readonly score: ScoreDigest;
  /** All criteria that rank blocks, this one included. */
  readonly all: readonly ScoreDigest[];
  readonly plan: PanelPlan;
  readonly blocks: number;
  /** The least important block first. */
  readonly byScore: boolean;
}

export interface ImportanceActions {
  readonly toggle: (block: number) => void;
  /** Makes this criterion the one whose scores are bars. */
  readonly choose: (criterion: string) => void;
  /** Undefined where the plan cannot change. */
  readonly picker: RangePicker | undefined;
}

export function drawImportance(
  data: ImportanceData,
  width: number,
  frame: ChartFrame,
  { toggle, choose, picker }: ImportanceActions,
): Drawing {
  const { score, all, plan, blocks, byScore } = data;
  const bars = barsOf(score, plan, blocks);
  const order = orderOf(bars, byScore);
  const scale = scaleOfBars(bars, score);
  const fields = fieldsOf(bars, score, scale.amountOf);
  const ranked = all.filter((each) => ranksOf(each).size > 0);
  const left = leftOfHeat(ranked, width);
  const drawn = drawBars({
    ...{ bars, order, scale, fields, width, left },
    base: baseOf(score),
    name: axisName(score, scale, width),
    threshold: thresholdWords(bars, plan, scale, width),
  });
  const targets = order.map((block) => targetOf(bars[block], score, scale, drawn, frame, toggle));
  const areas = addTargets(drawn.svg, t('Blocks (checked: kept)'), targets, frame);
  picker?.attach(areas, targets, frame);
  const heat =
    ranked.length > 1
      ? [heatTable({ ranked, plan, order, shown: score, width, left }, drawn.places, frame, choose)]
      : [];
  return {
    charts: [drawn.svg, ...heat],
    table: tableOf(bars, ranked, score),
    legend: legendOf(bars, frame.still, fields.length > 0),
  };
}

function scaleOfBars(bars: readonly Bar[], score: ScoreDigest): Scale {
  const finite = bars.filter(({ off }) => !off);
  return scaleOf(
    measureOf(score),
    finite.map(({ value }) => value),
    finite.flatMap(({ joint }) => [joint.low, joint.high]),
    baseOf(score),
    bars.some(({ off, unknown }) => off && !unknown),
  );
}

function thresholdWords(
  bars: readonly Bar[],
  { removed }: PanelPlan,
  { amountOf }: Scale,
  width: number,
): { amount: number; words: string } | undefined {
  const amount = thresholdOf(bars, removed.length, amountOf);
  if (amount === undefined) return undefined;
  const words =
    width < NARROW
      ? t('Suggestion: below this line')
      : t('Blocks below this line would be suggested ({0})', removed.length);
  return { amount, words };
}

function targetOf(
  bar: Bar,
  score: ScoreDigest,
  { amountOf }: Scale,
  { y, places }: DrawnBars,
  frame: ChartFrame,
  toggle: (block: number) => void,
): Target {
  const place = places(bar.block);
  const words = describe(bar, score);
  const highest = Math.max(bar.unknown ? 0 : amountOf(bar.value), amountOf(bar.joint.high) || 0, 0);
  return {
    key: String(bar.block),
    x: place.left,
    y: 8,
    width: place.width,
    height: HEIGHT - 16,
    tipX: place.center,
    tipY: Math.max(20, y(highest)),
    label: words.join(', '),
    tip: [...words, ...(frame.still ? [] : [hint(bar)])],
    checked: !bar.removed,
    disabled: bar.locked || frame.still,
    act: () => toggle(bar.block),
  };
}

/** Names what is measured, and the scale, because a logarithmic one has bars whose lengths are no multiples of each other. */
function axisName({ criterion, full, fullKl }: ScoreDigest, { log }: Scale, width: number): string {
  const name =
    full !== undefined
      ? width < NARROW
        ? t('Perplexity × the original’s')
        : t('Perplexity without the block, × the original’s {0}', shortNumber(numeric(full)))
      : fullKl === undefined
        ? seriesStyleOf(criterion).name
        : t('KL divergence without the block (nats)');
  return log ? t('{0} · log scale', name) : t('{0} · linear scale', name);
}
