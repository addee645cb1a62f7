/**
 * FLAP (An et al. 2024): a channel whose input of o_proj or down_proj hardly fluctuates from row to row can go, because
 * its mean can be added as a bias. The statistics are those of the whole model: what is removed from a block does not
 * change what later blocks see.
 */
import { counted } from '../../../format/words';
import { formatPercent } from '../../../format/numbers';
import type { LayerShape } from '../../checkpoint/architecture';
import type { LayerBiases, LayerWidth } from '../../checkpoint/width';
import { UserError } from '../../errors';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { option } from '../../option-token';
import { type JobOptions, Work } from '../../progress';
import type { WeightSource } from '../../weights/source';
import { type BlockStatistics, BlockStream } from './block-stream';
import { requireFinite } from './finite';
import type { Chosen, Measured } from './measured';
import { type FlapMetric, WIDTH_DEFAULTS, type WidthRequest } from './methods';
import { Energy, Fluctuation, type RowStatistics, together } from './row-statistics';
import { aboveOrBest, countsOf, fromThreshold, inMultiples, summed, type UnitScores } from './units';
import { channelSums, imageOf } from './weight-sums';

/** Mean and fluctuation, and the energy where the metric needs it. */
export class FlapStatistics implements RowStatistics {
  private readonly moments: Fluctuation;
  private readonly norms: Energy;
  private readonly all: RowStatistics;

  constructor(channels: number, metric: FlapMetric) {
    this.moments = new Fluctuation(channels);
    this.norms = new Energy(channels);
    this.all = metric === 'wifn' ? together(this.moments, this.norms) : this.moments;
  }

  add(x: Float32Array): void {
    this.all.add(x);
  }

  get mean(): Float64Array {
    return this.moments.mean;
  }

  get fluctuation(): Float64Array {
    return this.moments.fluctuation;
  }

  get energy(): Float64Array {
    return this.norms.energy;
  }
}

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
  const { layers } = model.architecture;
  const statistics = await observeAll(model, rows, metric, job);
  const scores: UnitScores[] = [];
  for (const [layer, { o, down }] of statistics.entries()) {
    const attention = (await channelMetric(model.weights, { layer, name: 'o' }, o, metric)).map((m) => m * m);
    const neurons = await channelMetric(model.weights, { layer, name: 'down' }, down, metric);
    const scoresOf = structure === 'al-am' ? adaptiveScores : uniformScores;
    scores.push(requireFinite(scoresOf(attention, neurons, layers[layer]), layer));
  }
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

async function observeAll(
  model: Model,
  rows: TokenRows,
  metric: FlapMetric,
  job: JobOptions,
): Promise<BlockStatistics<FlapStatistics>[]> {
  const { layers } = model.architecture;
  const work = new Work(job, rows.length * layers.length, 'row-blocks', 'reading the model');
  const stream = await BlockStream.open(model, rows, work);
  const all: BlockStatistics<FlapStatistics>[] = [];
  try {
    for (const [block, { heads, headDim, ffn }] of layers.entries()) {
      work.step(`block ${block + 1} of ${layers.length}`);
      const own = { o: new FlapStatistics(heads * headDim, metric), down: new FlapStatistics(ffn, metric) };
      await stream.observe(block, own, true);
      all.push(own);
    }
  } finally {
    await stream.close();
  }
  return all;
}

/** What matters of each input channel of a Linear. */
async function channelMetric(
  weights: WeightSource,
  key: { readonly layer: number; readonly name: 'o' | 'down' },
  { fluctuation, energy }: FlapStatistics,
  metric: FlapMetric,
): Promise<Float64Array> {
  if (metric === 'ifv') return fluctuation;
  if (metric === 'wifn') return weightedNorms(weights, key, energy);
  const squares = await channelSums(weights, key, 'columns', (w) => w * w);
  return fluctuation.map((f, j) => f * squares[j]);
}

/** mean over i of |W_ij| · √energy_j: Wanda's |W| ‖x‖, averaged over the outputs. */
export async function weightedNorms(
  weights: WeightSource,
  key: { readonly layer: number; readonly name: 'o' | 'down' },
  energy: Float64Array,
): Promise<Float64Array> {
  const [outputs] = weights.shape(key);
  const sums = await channelSums(weights, key, 'columns', Math.abs);
  return energy.map((e, j) => (sums[j] / outputs) * Math.sqrt(e));
}

/** Deviations from the mean of the block's channels, in deviations, so that blocks and kinds can be compared. */
function adaptiveScores(attention: Float64Array, neurons: Float64Array, { kvHeads }: LayerShape): UnitScores {
  const perGroup = attention.length / kvHeads;
  const groups = summed(standardised(attention), kvHeads).map((sum) => sum / perGroup);
  return { groups, neurons: standardised(neurons) };
}

const uniformScores = (attention: Float64Array, neurons: Float64Array, { kvHeads }: LayerShape): UnitScores => ({
  groups: summed(attention, kvHeads),
  neurons,
});

/** (x − mean) / deviation, with n − 1; 0 if all are equal. */
function standardised(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (values.length - 1));
  return values.map((x) => (deviation === 0 ? 0 : (x - mean) / deviation));
}

/**
 * What a group weighs in neurons: (2r + 2)·d·hidden weights against 3·hidden, cut down to a whole number as in the
 * authors' code (170 for heads of 128 without groups).
 */
export const groupCost = ({ heads, kvHeads, headDim }: LayerShape): number =>
  Math.floor(((2 * (heads / kvHeads) + 2) * headDim) / 3);

type Select = (ratio: number) => Chosen;

/** AL-AM: one threshold for all units of the model. A block that would lose all units of a kind keeps the best. */
function adaptive(layers: readonly LayerShape[], scores: readonly UnitScores[]): Select {
  const all = [...scores.map(({ groups }) => groups), ...scores.map(({ neurons }) => neurons)];
  const costs = layers.map(groupCost);
  const values = Float64Array.from(all.flatMap((own) => [...own]));
  const weighs = Float64Array.from(all.flatMap((own, i) => Array<number>(own.length).fill(costs[i] ?? 1)));
  const order = Uint32Array.from(values.keys()).sort((a, b) => values[b] - values[a] || a - b);
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
  const groups = kept.filter((block, i) => isLow(scores[i].groups, block.groups)).length;
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

/** What the removed channels add in the mean: W·(mean ⊙ removed). */
async function compensate(
  { architecture, weights }: Model,
  statistics: readonly BlockStatistics<FlapStatistics>[],
  kept: readonly LayerWidth[],
  job: JobOptions,
): Promise<LayerBiases[]> {
  const work = new Work(job, kept.length, 'blocks', 'biases for what is removed');
  const biases: LayerBiases[] = [];
  for (const [layer, { groups, neurons }] of kept.entries()) {
    const { kvHeads } = architecture.layers[layer];
    const { o, down } = statistics[layer];
    biases.push({
      o: Float32Array.from(await imageOf(weights, { layer, name: 'o' }, without(o.mean, groups, kvHeads))),
      down: Float32Array.from(
        await imageOf(weights, { layer, name: 'down' }, without(down.mean, neurons, down.mean.length)),
      ),
    });
    work.advance(1);
  }
  return biases;
}

/** The means of channels of removed units, 0 for the others. */
function without(means: Float64Array, kept: readonly number[], units: number): Float64Array {
  const each = means.length / units;
  const stays = new Set(kept);
  return means.map((mean, channel) => (stays.has(Math.floor(channel / each)) ? 0 : mean));
}

const tooFewRows = (): UserError =>
  new UserError(
    'FLAP needs at least 2 calibration rows',
    'it measures how channels fluctuate from row to row',
    `Raise ${option('samples')}, or give a file with more rows.`,
  );
