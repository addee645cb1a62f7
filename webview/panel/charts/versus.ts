/**
 * Depth against width (Shortened LLaMA, Figure 1): perplexity or accuracy against the size, the speed or the memory of a
 * model. A line for each method, from the whole model through its sizes; full signs where blocks are removed.
 */
import * as Plot from '@observablehq/plot';
import type { VersusDigest, VersusModelDigest } from '../../../src/protocol/panel';
import { numeric } from '../../../src/format/json';
import { t } from '../../support/l10n';
import { COSTS, measured, methodText, QUALITIES, type VersusMeasure } from '../state/versus-measures';
import { blockList } from '../numbers';
import type { ChartFrame, Drawing } from './frame';
import { legendEntry } from './legend';
import { type Chart, draw, margins, placesIn } from './plot';
import { perplexityScale } from './removed-axes';
import { lineSign, seriesStyleOf, type SeriesStyle } from './series';
import { type Cell, known, type Numbers, numbersBy } from './table';
import { addTargets, spot, type Target } from './targets';

const HEIGHT = 360;
const [LEFT, RIGHT] = [54, 18];

interface Point {
  readonly model: VersusModelDigest;
  readonly x: number;
  readonly y: number;
}

/** @param choose makes blocks the plan */
export function drawVersus(
  { models }: VersusDigest,
  quality: VersusMeasure,
  cost: VersusMeasure,
  width: number,
  frame: ChartFrame,
  choose: (removed: readonly number[]) => void,
): Drawing {
  const points = models
    .map((model): Point => ({ model, x: cost.valueOf(model), y: quality.valueOf(model) }))
    .filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  const methods = methodsOf(points.map(({ model }) => model));
  const svg = plotOf(points, methods, quality, cost, width);
  const placeOf = placesIn(svg);
  const targets = points.map(({ model, x, y }): Target => {
    const tip = tipOf(model, models);
    const removed = model.removed.filter((block): block is number => typeof block === 'number');
    const canChoose = !frame.still && model.kind === 'depth' && removed.length === model.removed.length;
    return {
      key: `${model.method}-${model.count}`,
      // Small, because models of one size stand above each other.
      ...spot(...placeOf(x, y), 14),
      label: tip.join(', '),
      tip: canChoose ? [...tip, t('Click or press Enter to make this the plan')] : tip,
      act: () => (canChoose ? choose(removed) : frame.hideTip()),
    };
  });
  addTargets(svg, t('Models of the comparison'), targets, frame);
  return {
    charts: [svg],
    table: numbersOf(models),
    legend: methods.map((method) => legendEntry(lineSign(styleOf(method)), legendText(method, models))),
  };
}

/** In the order of the models, without the whole model. */
const methodsOf = (models: readonly VersusModelDigest[]): string[] => [
  ...new Set(models.filter(({ kind }) => kind !== 'whole').map(({ method }) => method)),
];

/** Lines of removed blocks are whole, those of narrower models are broken. */
function styleOf(method: string): SeriesStyle {
  const { color, symbol, dash } = seriesStyleOf(method);
  const name = methodText(method);
  const isDepth = ['ppl', 'taylor', 'plan'].includes(method);
  return { color: method === 'plan' ? 'var(--ink)' : color, symbol, dash: isDepth ? '' : dash, name, nameInText: name };
}

const legendText = (method: string, models: readonly VersusModelDigest[]): string =>
  models.find((model) => model.method === method)?.kind === 'width'
    ? t('{0} (width)', methodText(method))
    : t('{0} (depth)', methodText(method));

function plotOf(
  points: readonly Point[],
  methods: readonly string[],
  quality: VersusMeasure,
  cost: VersusMeasure,
  width: number,
): Chart {
  const whole = points.filter(({ model }) => model.kind === 'whole');
  const values = points.map(({ y }) => y).filter((value) => value > 0);
  const lineOf = (method: string): Point[] => [...whole, ...points.filter(({ model }) => model.method === method)];
  return draw({
    ...{ width, height: HEIGHT, ...margins(28, RIGHT, 40, LEFT) },
    overflows: true,
    x: {
      label: `${cost.exact} →`,
      nice: true,
      inset: 14,
      ticks: Math.max(3, Math.floor(width / 110)),
      tickFormat: cost.words,
    },
    y:
      quality.key === 'ppl'
        ? perplexityScale(values)
        : { label: `↑ ${quality.exact}`, grid: true, nice: true, ticks: 6, inset: 10 },
    marks: [
      ...whole.map(({ y }) => Plot.ruleY([y], { stroke: 'var(--ink)', strokeDasharray: '4 3', strokeOpacity: 0.5 })),
      ...methods.flatMap((method) => {
        const { color, dash, symbol } = styleOf(method);
        const own = points.filter(({ model }) => model.method === method);
        const isWidth = own[0].model.kind === 'width';
        return [
          Plot.line(lineOf(method), { x: 'x', y: 'y', stroke: color, strokeWidth: 1.8, strokeDasharray: dash }),
          Plot.dot(own, {
            x: 'x',
            y: 'y',
            symbol,
            r: 4.2,
            ...(isWidth ? { fill: 'var(--paper)', stroke: color, strokeWidth: 1.6 } : { fill: color }),
          }),
        ];
      }),
      Plot.dot(whole, { x: 'x', y: 'y', r: 4.5, fill: 'var(--ink)' }),
      Plot.text(whole, {
        x: 'x',
        y: 'y',
        text: () => t('Original'),
        dx: 8,
        dy: -12,
        textAnchor: 'end',
        fill: 'var(--muted)',
        stroke: 'var(--paper)',
        strokeWidth: 3,
      }),
    ],
  });
}

/** "FLAP, as large as without 6 blocks" */
export function modelName({ method, kind, count, removed }: VersusModelDigest): string {
  if (kind === 'whole') return methodText(method);
  if (kind === 'width') return t('{0}, as large as without {1} blocks', methodText(method), count);
  const blocks = removed.filter((block): block is number => typeof block === 'number');
  return t(
    '{0}, without {1}',
    methodText(method),
    blocks.length === removed.length ? blockList(blocks) : removed.join(),
  );
}

function tipOf(model: VersusModelDigest, models: readonly VersusModelDigest[]): string[] {
  const { speedUp } = model;
  return [
    modelName(model),
    ...[...QUALITIES, ...COSTS]
      .filter((measure) => measured([measure], models).length > 0)
      .map(({ exact, valueOf, words }) => {
        const value = valueOf(model);
        return `${exact}: ${Number.isFinite(value) ? words(value) : '–'}`;
      }),
    ...(speedUp === null ? [] : [t('{0}× as fast as the original', speedUp.toFixed(2))]),
  ];
}

/** All numbers, a row for each model. */
function numbersOf(models: readonly VersusModelDigest[]): Numbers {
  const [, latency, throughput, memory] = COSTS.map(
    ({ valueOf }) =>
      (model: VersusModelDigest): Cell =>
        known(valueOf(model)),
  );
  return numbersBy(
    () => models,
    [
      [t('Method'), ({ method }) => methodText(method)],
      [t('Kind'), ({ kind }) => kind],
      [t('Blocks removed, or as large as without'), ({ count }) => count],
      [t('Removed blocks'), ({ removed }) => removed.join(' ')],
      [t('Ratio'), ({ ratio }) => ratio],
      [t('Parameters'), ({ parameters }) => parameters],
      [t('Blocks'), ({ blocks }) => blocks],
      [t('Heads'), ({ heads }) => heads?.mean ?? null],
      [t('Heads, deviation'), ({ heads }) => heads?.sd ?? null],
      [t('FFN'), ({ ffn }) => ffn?.mean ?? null],
      [t('FFN, deviation'), ({ ffn }) => ffn?.sd ?? null],
      [t('Perplexity'), ({ ppl }) => known(numeric(ppl))],
      [t('Accuracy (%)'), ({ accuracy }) => (accuracy === null ? null : 100 * accuracy)],
      [t('Seconds for all tokens'), latency],
      [t('Tokens per second'), throughput],
      [t('Speed-up'), ({ speedUp }) => speedUp],
      [t('Predicted memory (GiB)'), memory],
      [t('Seconds of pruning'), ({ pruningSeconds }) => pruningSeconds],
      [t('Why not'), ({ failure, speedFailure }) => failure ?? speedFailure ?? null],
    ],
  );
}
