/**
 * FLAP (An et al. 2024): a channel whose input of o_proj or down_proj hardly fluctuates from row to row can go, because
 * its mean can be added as a bias. The statistics are those of the whole model: what is removed from a block does not
 * change what later blocks see.
 */
import { formatPercent } from '../../../format/numbers';
import { counted } from '../../../format/words';
import { type PlainShape, plainShape } from '../../checkpoint/kinds/plain';
import { type LayerWidth, losesHeads } from '../../checkpoint/width';
import { UserError } from '../../errors';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { option } from '../../option-token';
import type { JobOptions } from '../../progress';
import type { BlockStatistics } from './block-stream';
import { compensate } from './compensation';
import { type FlapStatistics, observeAll, scoresOf } from './flap-scores';
import type { Chosen, Measured } from './measured';
import { WIDTH_DEFAULTS, type WidthRequest } from './methods';
import { aboveOrBest, countsOf, fromThreshold, inMultiples, type UnitScores } from './units';

export interface MeasuredFlap extends Measured {
  /** Of every block. */
  readonly statistics: readonly BlockStatistics<FlapStatistics>[];
}

/** @throws UserError if there are too few rows, or a number is not finite; CancelledError */
export async function measureFlap(
  model: Model,
  rows: TokenRows,
  request: Omit<WidthRequest, 'method'>,
  job: JobOptions,
): Promise<MeasuredFlap> {
  const { metric = WIDTH_DEFAULTS.metric, structure = WIDTH_DEFAULTS.structure } = request;
  const { compensation = WIDTH_DEFAULTS.compensation, multiple } = request;
  if (rows.length < 2 && metric !== 'wifn') throw tooFewRows();
  const layers = model.architecture.layers.map(plainShape);
  const statistics = await observeAll(model, rows, metric, job);
  const scores = await scoresOf(model, statistics, { metric, structure });
  const select = structure === 'al-am' ? adaptive(layers, scores) : uniform(scores);
  const at = (ratio: number): Chosen => {
    const { layers: kept, ...rest } = select(ratio);
    return { ...rest, layers: kept.map((units, i) => inMultiples(units, scores[i], multiple)) };
  };
  return {
    statistics,
    counts: (ratio) => countsOf(at(ratio).layers),
    choose: (ratio) => Promise.resolve(at(ratio)),
    ...(compensation && {
      biases: (kept: readonly LayerWidth[], part: JobOptions) => compensate(model, statistics, kept, part),
    }),
  };
}

/**
 * What a group weighs in neurons: (2r + 2)·d·hidden weights against 3·hidden, cut down to a whole number as in the
 * authors' code (170 for heads of 128 without groups). Nothing where all heads stay: they are no part of the choice.
 */
export const groupCost = (shape: PlainShape): number =>
  losesHeads(shape) ? Math.floor(((2 * (shape.heads / shape.kvHeads) + 2) * shape.headDim) / 3) : 0;

type Select = (ratio: number) => Chosen;

/** AL-AM: one threshold for all units of the model. A block that would lose all units of a kind keeps the best. */
function adaptive(layers: readonly PlainShape[], scores: readonly UnitScores[]): Select {
  const all = [...scores.map(({ groups }) => groups), ...scores.map(({ neurons }) => neurons)];
  const costs = layers.map(groupCost);
  const values = Float64Array.from(all.flatMap((own) => [...own]));
  const weighs = Float64Array.from(all.flatMap((own, i) => Array<number>(own.length).fill(costs[i] ?? 1)));
  const open = [...values.keys()].filter((unit) => weighs[unit] > 0);
  const order = Uint32Array.from(open).sort((a, b) => values[b] - values[a] || a - b);
  const total = weighs.reduce((sum, weight) => sum + weight, 0);
  return (ratio) => {
    const threshold = values[order[nearest(order, weighs, (1 - ratio) * total)]];
    const kept = scores.map(({ groups, neurons }) => ({
      groups: aboveOrBest(groups, threshold),
      neurons: aboveOrBest(neurons, threshold),
    }));
    return { layers: kept, scores, threshold, warnings: overshoot(kept, { scores, costs, threshold, total, ratio }) };
  };
}

/** The place in the order whose weight, with all before it, is nearest to `wanted`; the first of equals. */
function nearest(order: Uint32Array, weighs: Float64Array, wanted: number): number {
  let best = 0;
  let least = Infinity;
  let sum = 0;
  for (let i = 0; i < order.length; i++) {
    sum += weighs[order[i]];
    const away = Math.abs(sum - wanted);
    if (away >= least) break; // the sum only grows
    [best, least] = [i, away];
  }
  return best;
}

interface Cut {
  readonly scores: readonly UnitScores[];
  readonly costs: readonly number[];
  readonly threshold: number;
  readonly total: number;
  readonly ratio: number;
}

/** Blocks that keep a unit although it is not above the threshold make the model larger than asked. */
function overshoot(kept: readonly LayerWidth[], { scores, costs, threshold, total, ratio }: Cut): string[] {
  const isLow = (own: Float64Array, [first]: readonly number[]): boolean => own[first] <= threshold;
  const groups = kept.filter((block, i) => costs[i] > 0 && isLow(scores[i].groups, block.groups)).length;
  const neurons = kept.filter((block, i) => isLow(scores[i].neurons, block.neurons)).length;
  if (groups + neurons === 0) return [];
  const weight = kept.reduce((sum, block, i) => sum + costs[i] * block.groups.length + block.neurons.length, 0);
  const where = [
    ...(groups > 0 ? [`a group of heads in ${counted(groups, 'block')}`] : []),
    ...(neurons > 0 ? [`a neuron in ${counted(neurons, 'block')}`] : []),
  ].join(' and ');
  return [
    `FLAP keeps ${where} that it would remove, because no block may lose all: ${formatPercent(weight / total)} of heads and neurons stay, and ${formatPercent(1 - ratio)} were asked for`,
  ];
}

/** UL-UM: the same share of groups and of neurons in every block. */
const uniform =
  (scores: readonly UnitScores[]): Select =>
  (ratio) => ({
    layers: scores.map(({ groups, neurons }) => ({
      groups: fromThreshold(groups, Math.trunc(ratio * groups.length)),
      neurons: fromThreshold(neurons, Math.trunc(ratio * neurons.length)),
    })),
    scores,
    warnings: [],
  });

const tooFewRows = (): UserError =>
  new UserError(
    'FLAP needs at least 2 calibration rows',
    'it measures how channels fluctuate from row to row',
    `Raise ${option('samples')}, or give a file with more rows.`,
  );
