/** Perplexity on the held-out part while a model is retrained, between the model before it and the unpruned one. */
import * as Plot from '@observablehq/plot';
import { shortNumber } from '../../../src/format/numbers';
import { t } from '../../support/l10n';
import { addLabels, type ChartLabel } from './label-layer';
import { along, around, type Segment } from './place-labels';
import { draw, margins, placesIn } from './plot';
import { perplexityScale } from './removed-axes';
import type { EvaluationPoint } from './training-points';

const HEIGHT = 170;
const [LEFT, RIGHT, TOP, BOTTOM] = [54, 12, 24, 20];
/** As in the chart above it. */
const OVER = { stroke: 'var(--series-2)', strokeDasharray: '6 3' } as const;
/** The axis is at least so large a part of the perplexities. */
const LEAST_RANGE = 0.1;

/** @param over a run to compare with @param unpruned NaN if unknown @param last step of the axis */
export function heldOutChart(
  evaluations: readonly EvaluationPoint[],
  over: readonly EvaluationPoint[],
  unpruned: number,
  last: number,
  width: number,
): SVGSVGElement {
  const before = evaluations.find(({ step }) => step === 0)?.ppl ?? NaN;
  const values = [...evaluations, ...over].map(({ ppl }) => ppl);
  const around0 = [...values, unpruned].filter((ppl) => Number.isFinite(ppl) && ppl > 0);
  const middle = (Math.min(...around0) + Math.max(...around0)) / 2;
  const svg = draw({
    ...{ width, height: HEIGHT, ...margins(TOP, RIGHT, BOTTOM, LEFT) },
    x: { domain: [0, last], label: null, ticks: Math.min(8, width / 70), tickFormat: 'd' },
    y: {
      ...perplexityScale([...around0, (1 - LEAST_RANGE / 2) * middle, (1 + LEAST_RANGE / 2) * middle]),
      label: `↑ ${t('Held-out perplexity')}`,
      ticks: 4,
    },
    marks: [
      Plot.ruleY([before].filter(Number.isFinite), {
        stroke: 'var(--muted)',
        strokeDasharray: '1 4',
        strokeLinecap: 'round',
      }),
      Plot.ruleY([unpruned].filter(Number.isFinite), {
        stroke: 'var(--ink)',
        strokeDasharray: '4 3',
        strokeOpacity: 0.7,
      }),
      Plot.lineY(over, { ...OVER, x: 'step', y: 'ppl' }),
      Plot.lineY(evaluations, { x: 'step', y: 'ppl', stroke: 'var(--good)', strokeWidth: 2.2 }),
      Plot.dot(evaluations, { x: 'step', y: 'ppl', fill: 'var(--good)', symbol: 'diamond', r: 3.5 }),
    ],
  });
  const placeOf = placesIn(svg);
  const pixels = ({ step, ppl }: EvaluationPoint): readonly [number, number] => placeOf(step, ppl);
  label(svg, { evaluations, over, before, unpruned, pixels, width });
  return asImage(svg, wordsOf(evaluations, unpruned));
}

interface Labelled {
  readonly evaluations: readonly EvaluationPoint[];
  readonly over: readonly EvaluationPoint[];
  readonly before: number;
  readonly unpruned: number;
  readonly pixels: (point: EvaluationPoint) => readonly [number, number];
  readonly width: number;
}

/** The last perplexity, and what the horizontal lines are. */
function label(svg: SVGSVGElement, { evaluations, over, before, unpruned, pixels, width }: Labelled): void {
  const area = { x: LEFT + 2, y: TOP - 8, width: width - LEFT - RIGHT + 6, height: HEIGHT - TOP - BOTTOM + 10 };
  const rules = [before, unpruned].filter(Number.isFinite).map((ppl): Segment => {
    const [, y] = pixels({ step: 0, ppl });
    return { x1: area.x, x2: area.x + area.width, y1: y, y2: y };
  });
  const lines = [evaluations, over].flatMap((points) => {
    const places = points.map(pixels);
    return places.slice(1).map(([x2, y2], i): Segment => ({ x1: places[i][0], y1: places[i][1], x2, y2 }));
  });
  const boxes = evaluations.map(pixels).map(([x, y]) => ({ x: x - 4, y: y - 4, width: 8, height: 8 }));
  const last = evaluations.at(-1);
  const rule = (ppl: number, text: string): ChartLabel[] =>
    Number.isFinite(ppl)
      ? [
          {
            text,
            color: 'var(--muted)',
            optional: true,
            places: (w, h) => along(pixels({ step: 0, ppl })[1], LEFT + 4, width - RIGHT, w, h),
          },
        ]
      : [];
  const [x, y] = last ? pixels(last) : [0, 0];
  const now = last && {
    text: shortNumber(last.ppl),
    bold: true,
    places: (w: number, h: number) => around(x, y, 4, w, h),
  };
  addLabels(
    svg,
    [
      ...(now ? [now] : []),
      ...rule(unpruned, t('original {0}', shortNumber(unpruned))),
      ...(last && last.step > 0 ? rule(before, t('before retraining {0}', shortNumber(before))) : []),
    ],
    { lines: [...rules, ...lines], boxes, area },
  );
}

/** "Held-out perplexity: 41 at step 0, 19.5 at step 240. The whole model has 18.2." */
function wordsOf(evaluations: readonly EvaluationPoint[], unpruned: number): string {
  const at = (point: EvaluationPoint | undefined): string =>
    point ? t('{0} at step {1}', shortNumber(point.ppl), point.step) : t('none');
  const words = t('Held-out perplexity: {0}, {1}.', at(evaluations[0]), at(evaluations.at(-1)));
  return Number.isFinite(unpruned) ? `${words} ${t('The original has {0}.', shortNumber(unpruned))}` : words;
}

function asImage(svg: SVGSVGElement, words: string): SVGSVGElement {
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', words);
  return svg;
}
