/** The steps of a retraining as they are drawn: smoothed, and no more of them than can be told apart. */
import type { TrainingEvaluation, TrainingStep } from '../../../src/protocol/panel';
import { numeric } from '../numbers';
import { type Cell, known, type Numbers } from './table';

export interface TrainingSeries {
  readonly name: string;
  readonly steps: readonly TrainingStep[];
  readonly evaluations: readonly TrainingEvaluation[];
}

export interface Point {
  readonly step: number;
  readonly loss: number;
  readonly smooth: number;
  readonly learningRate: number;
  readonly speed: number;
}

export interface EvaluationPoint {
  readonly step: number;
  readonly ppl: number;
}

/** Points drawn at most: more are not told apart, and a redraw stays quick. */
const MAX_POINTS = 400;
/** Part of the old mean that the smoothed loss keeps each step; long runs are smoothed more. */
const smoothing = (steps: number): number => Math.min(0.97, Math.max(0.6, 1 - 20 / Math.max(1, steps)));

export function pointsOf({ steps }: TrainingSeries): Point[] {
  const keep = smoothing(steps.length);
  let mean = 0;
  let weight = 0;
  const all = steps.map(({ step, loss, learningRate, tokensPerSecond }) => {
    const value = numeric(loss);
    if (Number.isFinite(value)) {
      mean = keep * mean + (1 - keep) * value;
      weight = keep * weight + (1 - keep); // what a mean that starts at zero lacks
    }
    return { step, loss: value, smooth: mean / weight, learningRate, speed: tokensPerSecond };
  });
  return thinned(all);
}

/** Of each stretch of steps those of the least and the largest loss, so that no peak is lost; and the last. */
function thinned(all: readonly Point[]): Point[] {
  if (all.length <= MAX_POINTS) return [...all];
  const stretch = Math.ceil((2 * all.length) / MAX_POINTS);
  const kept: Point[] = [];
  for (let from = 0; from < all.length; from += stretch) {
    const some = all.slice(from, from + stretch);
    const least = some.reduce((a, b) => (b.loss < a.loss ? b : a));
    const most = some.reduce((a, b) => (b.loss > a.loss ? b : a));
    kept.push(...(least === most ? [least] : least.step < most.step ? [least, most] : [most, least]));
  }
  if (kept.at(-1) !== all.at(-1)) kept.push(all.at(-1)!);
  return kept;
}

export const evaluationPointsOf = ({ evaluations }: TrainingSeries): EvaluationPoint[] =>
  evaluations.map(({ step, ppl }) => ({ step, ppl: numeric(ppl) })).filter(({ ppl }) => Number.isFinite(ppl));

/** Every step as it was; of two runs one below the other. */
export function numbersOf(runs: readonly TrainingSeries[]): Numbers {
  const several = runs.length > 1;
  const head = ['Step', 'Loss', 'Learning rate', 'Tokens per second', 'Held-out perplexity'];
  return {
    head: several ? [...head, 'Run'] : head,
    rows: () =>
      runs.flatMap(({ name, steps, evaluations }) => {
        const held = new Map(evaluations.map(({ step, ppl }) => [step, known(numeric(ppl))]));
        return steps.map(({ step, loss, learningRate, tokensPerSecond }): Cell[] => [
          ...[step, known(numeric(loss)), learningRate, tokensPerSecond, held.get(step) ?? null],
          ...(several ? [name] : []),
        ]);
      }),
  };
}
