/** FLAP's biases, which stand for the mean of what is removed. */
import { groupsOf, type LayerBiases, type LayerWidth } from '../../checkpoint/width';
import { plainShape } from '../../checkpoint/kinds/plain';
import type { Model } from '../../model/model';
import { type JobOptions, Work } from '../../progress';
import type { BlockStatistics } from './block-stream';
import type { FlapStatistics } from './flap-scores';
import { imageOf } from './weight-sums';

/** What the removed channels of every block add in the mean: W·(mean ⊙ removed). @throws UserError, CancelledError */
export async function compensate(
  { architecture, weights }: Model,
  statistics: readonly BlockStatistics<FlapStatistics>[],
  kept: readonly LayerWidth[],
  job: JobOptions,
): Promise<LayerBiases[]> {
  const work = new Work(job, kept.length, 'blocks', 'biases for what is removed');
  const biases: LayerBiases[] = [];
  for (const [layer, { groups, neurons }] of kept.entries()) {
    const all = groupsOf(plainShape(architecture.layers[layer]));
    const { o, down } = statistics[layer];
    biases.push({
      o: Float32Array.from(await imageOf(weights, { layer, name: 'o' }, without(o.mean, groups, all))),
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
