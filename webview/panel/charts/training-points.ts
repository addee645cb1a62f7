/** The steps of a retraining as they are drawn: smoothed, and thinned to what the eye can tell apart. */
import { type JsonNumber, numeric } from '../../../src/format/json';
import type { TrainingEvaluation, TrainingStep } from '../../../src/protocol/panel';
import { t } from '../../support/l10n';
import { type Cell, known, type Numbers } from './table';

export interface TrainingSeries {
  readonly name: string;
  readonly steps: readonly TrainingStep[];
  readonly evaluations: readonly TrainingEvaluation[];
  /** Perplexity of the unpruned model on the held-out part; undefined if it is unknown. */
  readonly unpruned?: JsonNumber;
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

/** The axis of losses is at least so large a part of them: noise of a few percent must not look like a storm. */
const LEAST_RANGE = 1 / 3;
/** Part of the steps at each end that may lie beyond the axis. */
const BEYOND = 0.01;

/** Limit of drawn points. More would style the same and slow down a redraw. */
const MAX_POINTS = 400;
/** Part of the old mean that the smoothed loss keeps at each step. Long runs are smoothed more. */
const smoothing = (steps: number): number => Math.min(0.97, Math.max(0.6, 1 - 20 / Math.max(1, steps)));

export function pointsOf({ steps }: TrainingSeries): Point[] {
  const keep = smoothing(steps.length);
  let mean = 0;
  let weight = 0;
  const all = steps.map(({ step, loss, learningRate, tokensPerSecond }) => {
    const value = numeric(loss);
    if (Number.isFinite(value)) {
      mean = keep * mean + (1 - keep) * value;
      weight = keep * weight + (1 - keep); // corrects the mean, which starts at zero
    }
    return { step, loss: value, smooth: mean / weight, learningRate, speed: tokensPerSecond };
  });
  return thinned(all);
}

/** The range of the axis of losses: all smoothed ones, and raw ones but for single peaks; undefined without any. */
export function lossRange(points: readonly Point[], overlay: readonly Point[]): [number, number] | undefined {
  const raw = points.map(({ loss }) => loss).filter(Number.isFinite);
  const smooth = [...points, ...overlay].map((point) => point.smooth).filter(Number.isFinite);
  if (smooth.length === 0) return undefined;
  raw.sort((a, b) => a - b);
  const beyond = Math.floor(BEYOND * raw.length);
  const least = Math.min(...smooth, ...raw.slice(beyond, beyond + 1));
  const most = Math.max(...smooth, ...raw.slice(raw.length - 1 - beyond, raw.length - beyond));
  const middle = (least + most) / 2;
  const half = Math.max(0.55 * (most - least), (LEAST_RANGE / 2) * middle);
  return [Math.max(0, middle - half), middle + half];
}

/** Keeps the lowest and the highest loss of each stretch of steps, so that no peak is lost, and the last step. */
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

/** All steps as they were measured. The steps of a second run follow those of the first. */
export function numbersOf(runs: readonly TrainingSeries[]): Numbers {
  const several = runs.length > 1;
  const head = [t('Step'), t('Loss'), t('Learning rate'), t('Tokens per second'), t('Held-out perplexity')];
  return {
    head: several ? [...head, t({ message: 'Run', comment: 'Noun: a recorded job' })] : head,
    rows: () =>
      runs.flatMap(({ name, steps, evaluations }) => {
        const held = new Map(evaluations.map(({ step, ppl }) => [step, known(numeric(ppl))]));
        const run = several ? [name] : [];
        // The evaluation before the first step has no loss beside it.
        const before = held.get(0);
        const first: Cell[][] = before === undefined ? [] : [[0, null, null, null, before, ...run]];
        const rest = steps.map(({ step, loss, learningRate, tokensPerSecond }): Cell[] => [
          step,
          known(numeric(loss)),
          learningRate,
          tokensPerSecond,
          held.get(step) ?? null,
          ...run,
        ]);
        return [...first, ...rest];
      }),
  };
}
