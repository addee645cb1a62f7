/**
 * LLM-Pruner (Ma et al. 2023), block-wise: in every block of a range the same share of units goes, those with the lowest
 * salience (salience.ts). All other blocks stay whole.
 */
import { type PlainShape, plainShape } from '../../checkpoint/kinds/plain';
import { losesHeads, type UnitCounts } from '../../checkpoint/width';
import type { TokenRows } from '../../model/forward';
import type { Model } from '../../model/model';
import { counted } from '../../../format/words';
import { OptionError } from '../../errors';
import { option } from '../../option-token';
import type { JobOptions } from '../../progress';
import { requireFinite } from './finite';
import type { Measured } from './measured';
import { type BlockRange, defaultRange, WIDTH_DEFAULTS, type WidthRequest } from './methods';
import { unitSaliences } from './salience';
import { allUnits, nearestMultiple, withoutLowest } from './units';

/**
 * How many of `units` of `size` channels each go at a ratio. The authors count in channels: int(channels · (1 − ratio))
 * of them stay, and what goes is a whole number of units.
 */
const removedUnits = (units: number, size: number, ratio: number): number =>
  Math.floor((units * size - Math.trunc(units * size * (1 - ratio))) / size);

/** @throws OptionError for blocks that the model does not have */
export function checkedRange(blocks: number, range: BlockRange = defaultRange(blocks)): BlockRange {
  const { first, last } = range;
  if (first >= 0 && first <= last && last < blocks) return range;
  throw new OptionError(
    `Cannot prune the blocks ${first} to ${last}`,
    `the model has ${counted(blocks, 'block')}, numbered from 0`,
    `Give two of them with ${option('range', 'A-B')}, the lower one first.`,
  );
}

type Settings = Pick<WidthRequest, 'range' | 'salience' | 'multiple'>;

/** What each ratio keeps, in numbers: arithmetic. @throws OptionError for a range outside the model */
export function llmPrunerCounts(
  layers: readonly PlainShape[],
  { range, multiple }: Omit<Settings, 'salience'>,
): Measured['counts'] {
  const { first, last } = checkedRange(layers.length, range);
  return (ratio) =>
    layers.map((shape, i) => {
      if (i < first || i > last) return allUnits(shape);
      const { groups, neurons } = keptUnits(shape, ratio);
      return { groups, neurons: nearestMultiple(neurons, shape.ffn, multiple) };
    });
}

/** @throws OptionError for a range outside the model; UserError; CancelledError */
export async function measureLlmPruner(
  model: Model,
  rows: TokenRows,
  { range, salience = WIDTH_DEFAULTS.salience, multiple }: Settings,
  job: JobOptions,
): Promise<Measured> {
  const layers = model.architecture.layers.map(plainShape);
  const counts = llmPrunerCounts(layers, { range, multiple });
  const { first, last } = checkedRange(layers.length, range);
  const scores = (await unitSaliences(model, rows, salience, job)).map(requireFinite);
  return {
    counts,
    choose: (ratio) => {
      const kept = counts(ratio).map(({ groups, neurons }, i) => ({
        groups: withoutLowest(scores[i].groups, scores[i].groups.length - groups),
        neurons: withoutLowest(scores[i].neurons, scores[i].neurons.length - neurons),
      }));
      const warnings = lastUnitWarnings(layers.slice(first, last + 1), ratio);
      return Promise.resolve({ layers: kept, scores, warnings });
    },
  };
}

/** At least one group and one neuron stay. */
export function keptUnits(shape: PlainShape, ratio: number): UnitCounts {
  const { groups, neurons } = allUnits(shape);
  return {
    groups: Math.max(1, groups - removedUnits(groups, shape.headDim, ratio)),
    neurons: Math.max(1, neurons - removedUnits(neurons, 1, ratio)),
  };
}

function lastUnitWarnings(layers: readonly PlainShape[], ratio: number): string[] {
  const clipped = layers.filter(
    (shape) => losesHeads(shape) && removedUnits(shape.kvHeads, shape.headDim, ratio) >= shape.kvHeads,
  ).length;
  if (clipped === 0) return [];
  return [`${counted(clipped, 'block')} would lose all attention heads; the best group of heads is kept in each`];
}
