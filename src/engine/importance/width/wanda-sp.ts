/**
 * Wanda-sp, the structured form of Wanda (Sun et al. 2024) in FLAP's comparison: a channel counts with its weights and
 * the norm of its input, and every block loses the same share. Block after block is pruned, and the next one sees what
 * the pruned ones give.
 */
import { type PlainShape, plainShape } from '../../checkpoint/kinds/plain';
import { fullWidth, groupsOf, type LayerWidth, type UnitCounts, type Width } from '../../checkpoint/width';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { type JobOptions, Work } from '../../progress';
import { Sliced } from '../../weights/sliced';
import { BlockStream } from './block-stream';
import { requireFinite } from './finite';
import type { Chosen, Measured } from './measured';
import type { WidthRequest } from './methods';
import { Energy } from './row-statistics';
import { allUnits, fromThreshold, inMultiples, nearestMultiple, summed, type UnitScores } from './units';
import { weightedNorms } from './weight-sums';

/** How many of `units` go at a ratio, unless scores are equal. */
const removedUnits = (units: number, ratio: number): number => Math.trunc(ratio * units);

export function keptUnits(shape: PlainShape, ratio: number): UnitCounts {
  const { groups, neurons } = allUnits(shape);
  return { groups: groups - removedUnits(groups, ratio), neurons: neurons - removedUnits(neurons, ratio) };
}

/** What each ratio keeps, in numbers: arithmetic. */
export const wandaSpCounts =
  (layers: readonly PlainShape[], { multiple }: Pick<WidthRequest, 'multiple'>): Measured['counts'] =>
  (ratio) =>
    layers.map((shape) => {
      const { groups, neurons } = keptUnits(shape, ratio);
      return { groups, neurons: nearestMultiple(neurons, shape.ffn, multiple) };
    });

/** Looks at nothing yet: what a block loses depends on what those before it have lost. */
export const measureWandaSp = (
  model: Model,
  rows: TokenRows,
  { multiple }: Omit<WidthRequest, 'method'>,
): Measured => ({
  counts: wandaSpCounts(model.architecture.layers.map(plainShape), { multiple }),
  choose: (ratio, job) => chooseInTurn(model, rows, { ratio, multiple }, job),
});

/** @throws UserError if a number is not finite; CancelledError */
async function chooseInTurn(
  model: Model,
  rows: TokenRows,
  { ratio, multiple }: { readonly ratio: number; readonly multiple: number | undefined },
  job: JobOptions,
): Promise<Chosen> {
  const { architecture, weights } = model;
  const layers = architecture.layers.map(plainShape);
  const work = new Work(job, 2 * rows.length * layers.length, 'row-blocks', 'reading the model');
  const stream = await BlockStream.open(model, rows, work);
  const whole = fullWidth(architecture).layers;
  const kept: LayerWidth[] = [];
  const scores: UnitScores[] = [];
  try {
    for (const [layer, shape] of layers.entries()) {
      const { heads, headDim, ffn } = shape;
      work.step(`block ${layer + 1} of ${layers.length}`);
      const inputs = { o: new Energy(heads * headDim), down: new Energy(ffn) };
      await stream.observe(layer, inputs, false);
      const channels = await weightedNorms(weights, { layer, name: 'o' }, inputs.o.energy);
      const neurons = await weightedNorms(weights, { layer, name: 'down' }, inputs.down.energy);
      const own = requireFinite({ groups: summed(channels, groupsOf(shape)), neurons }, layer);
      scores.push(own);
      kept.push(inMultiples(units(own, ratio), own, multiple));
      const width: Width = { layers: whole.map((all, i) => (i === layer ? kept[i] : all)) };
      await stream.move(layer, new Sliced(weights, width, weights.identity));
    }
  } finally {
    await stream.close();
  }
  return { layers: kept, scores, warnings: [] };
}

const units = ({ groups, neurons }: UnitScores, ratio: number): LayerWidth => ({
  groups: fromThreshold(groups, removedUnits(groups.length, ratio)),
  neurons: fromThreshold(neurons, removedUnits(neurons.length, ratio)),
});
