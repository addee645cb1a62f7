/** FLAP's statistics of a model, and the scores of its units. */
import { type PlainShape, plainShape } from '../../checkpoint/kinds/plain';
import { groupsOf } from '../../checkpoint/width';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { type JobOptions, Work } from '../../progress';
import type { WeightSource } from '../../weights/source';
import { type BlockStatistics, BlockStream } from './block-stream';
import { requireFinite } from './finite';
import type { FlapMetric, FlapStructure } from './methods';
import { Energy, Fluctuation, type RowStatistics, together } from './row-statistics';
import { summed, type UnitScores } from './units';
import { channelSums, weightedNorms } from './weight-sums';

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

/** The statistics of every block of the whole model. @throws UserError, CancelledError */
export async function observeAll(
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
    for (const [block, { heads, headDim, ffn }] of layers.map(plainShape).entries()) {
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

interface Variant {
  readonly metric: FlapMetric;
  readonly structure: FlapStructure;
}

/** The scores of every block's units. @throws UserError if one is not finite */
export async function scoresOf(
  { architecture: { layers }, weights }: Model,
  statistics: readonly BlockStatistics<FlapStatistics>[],
  { metric, structure }: Variant,
): Promise<UnitScores[]> {
  const fold = structure === 'al-am' ? adaptiveScores : uniformScores;
  const scores: UnitScores[] = [];
  for (const [layer, { o, down }] of statistics.entries()) {
    const attention = (await channelMetric(weights, { layer, name: 'o' }, o, metric)).map((m) => m * m);
    const neurons = await channelMetric(weights, { layer, name: 'down' }, down, metric);
    scores.push(requireFinite(fold(attention, neurons, plainShape(layers[layer])), layer));
  }
  return scores;
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

/** Deviations from the mean of the block's channels, in deviations, so that blocks and kinds can be compared. */
function adaptiveScores(attention: Float64Array, neurons: Float64Array, shape: PlainShape): UnitScores {
  const all = groupsOf(shape);
  const perGroup = attention.length / all;
  const groups = summed(standardised(attention), all).map((sum) => sum / perGroup);
  return { groups, neurons: standardised(neurons) };
}

const uniformScores = (attention: Float64Array, neurons: Float64Array, shape: PlainShape): UnitScores => ({
  groups: summed(attention, groupsOf(shape)),
  neurons,
});

/** (x − mean) / deviation, with n − 1; 0 if all are equal. */
function standardised(values: Float64Array): Float64Array {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  const squares = values.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (values.length - 1));
  return values.map((x) => (deviation === 0 ? 0 : (x - mean) / deviation));
}
