/**
 * What a run of a cell computes and reads, and the time that it takes at least: every step reads all weights and the
 * whole cache once, and computes its products. Pure arithmetic.
 */
import { elements } from '../../checkpoint/parameters';
import { type Architecture, linearsOf, moduleOf } from '../../checkpoint/architecture';
import { layerSizes, windowOf } from '../../checkpoint/kinds/parts';
import { blockWeights, outerWeights } from '../../checkpoint/weight-names';
import type { View } from '../../model/view';
import { type Cell, type MemoryModel, readParameters } from './memory';

/** Operations (a multiplication and an addition are two) of a run: products of weights, of the head, and attention. */
export function flopsOf(a: Architecture, view: View, { batch, promptTokens, newTokens }: Cell): number {
  const fed = promptTokens + newTokens - 1; // the last token is never fed
  const head = newTokens * 2 * elements(outerWeights(a).head.shape);
  return batch * (fed * 2 * matrixParameters(a, view) + head + attentionFlops(a, view, fed));
}

/** Weights of the blocks that are factors of products; norms and biases are not. */
function matrixParameters(a: Architecture, view: View): number {
  return a.layers.reduce((sum, layer, block) => {
    const weights = blockWeights(a, block);
    const computed = linearsOf(layer).filter((name) => view[moduleOf(name)][block]);
    return sum + computed.reduce((total, name) => total + elements(weights[name]!.shape), 0);
  }, 0);
}

/** Queries times keys, and weights times values, of `n` positions, each of which sees itself and those before it. */
function attentionFlops(a: Architecture, view: View, n: number): number {
  return a.layers.reduce((sum, layer, block) => {
    const { heads, headDim } = layerSizes(layer);
    const window = windowOf(layer);
    const seen =
      window === null || window >= n ? (n * (n + 1)) / 2 : (window * (window + 1)) / 2 + (n - window) * window;
    return sum + (view.attention[block] ? 4 * heads * headDim * seen : 0);
  }, 0);
}

type Bytes = Pick<MemoryModel, 'weight' | 'cache'>;

/** Bytes of keys and values that the step reads which makes a cache of `positions`. */
function cacheRead(a: Architecture, view: View, batch: number, positions: number, { cache }: Bytes): number {
  return a.layers.reduce((sum, layer, block) => {
    const { kvHeads, headDim } = layerSizes(layer);
    const window = windowOf(layer);
    const seen = Math.min(positions, window ?? Infinity);
    return sum + (view.attention[block] ? 2 * kvHeads * headDim * cache * batch * seen : 0);
  }, 0);
}

/** Bytes that a run must read: the weights once a step, and the cache. */
export function bytesRead(a: Architecture, view: View, cell: Cell, bytes: Bytes): number {
  const weights = bytes.weight * readParameters(a, view);
  let sum = 0;
  for (let step = 0; step < cell.newTokens; step++) {
    sum += weights + cacheRead(a, view, cell.batch, cell.promptTokens + step, bytes);
  }
  return sum;
}

/** What a device can do at most. */
export interface DeviceRates {
  /** Operations a second in bare products. */
  readonly flopsPerSecond: number;
  /** Bytes a second that are read; undefined where it cannot be measured. */
  readonly bytesPerSecond?: number;
}

/** Seconds that a run takes at least: in each step the slower one of reading and computing. */
export function floorSeconds(
  a: Architecture,
  view: View,
  cell: Cell,
  bytes: Bytes,
  { flopsPerSecond, bytesPerSecond = Infinity }: DeviceRates,
): number {
  const weights = bytes.weight * readParameters(a, view);
  const flopsTo = (tokens: number): number => flopsOf(a, view, { ...cell, newTokens: tokens });
  let seconds = 0;
  for (let step = 0; step < cell.newTokens; step++) {
    const read = weights + cacheRead(a, view, cell.batch, cell.promptTokens + step, bytes);
    const flops = flopsTo(step + 1) - (step === 0 ? 0 : flopsTo(step));
    seconds += Math.max(read / bytesPerSecond, flops / flopsPerSecond);
  }
  return seconds;
}
