/**
 * Cost of healing, in applications of a mean block to a token: the unit of progress and estimates. Pure: it loads
 * nothing that computes.
 */
import type { Architecture } from '../checkpoint/architecture';
import { keptBlocks } from '../checkpoint/block-list';
import { meanLayerParameters } from '../checkpoint/parameters';
import { healedSizes } from '../checkpoint/kinds/parts';
import { headWork } from '../model/cost';
import type { HealMethod } from './methods';

/** Cost of one application of block `layer`; 1 for a mean block. */
export type BlockCost = (layer: number) => number;

const each: BlockCost = () => 1;

/**
 * Cost of a fitted token: the dense stream passes every block, the healed one every kept block from the one before the
 * first cut on, and products of inputs and of wanted changes are summed up.
 * @param removed blocks
 */
export function fittingWork(
  architecture: Architecture,
  removed: readonly number[],
  method: HealMethod,
  cost = each,
): number {
  const blocks = architecture.layers.length;
  const healed = healedBlocks(blocks, removed);
  if (healed.length === 0) return 0;
  const products = systemsOf(architecture, removed, method).map(
    // XᵀX is symmetric: half of it, and all of XᵀR.
    (width) => (width * width) / 2 + width * architecture.hidden,
  );
  return sum(keptBlocks(blocks, []).map(cost)) + sum(healed.map(cost)) + sum(products) / mean(architecture);
}

/** Factors and solutions of a system that has a ridge for each column: about so many (shifted.ts). */
const OWN_RIDGES = { factors: 6, solutions: 7 };

/** Systems are solved in float64, in panels: a product there takes as long as so many of a block (Gemma 3 270M on two cores). */
const FLOAT64 = 6;

/**
 * Cost of solving the systems of equations, which no token adds to: Cholesky's n³/6 products, and n² for each column. Where a norm
 * is behind, channels have ridges of their own.
 */
export function solvingWork(architecture: Architecture, removed: readonly number[], method: HealMethod): number {
  const { factors, solutions } = architecture.style.norms === 'before' ? { factors: 1, solutions: 1 } : OWN_RIDGES;
  const products = systemsOf(architecture, removed, method).map(
    (n) => (factors * n ** 3) / 6 + solutions * n * n * architecture.hidden,
  );
  return (FLOAT64 * sum(products)) / mean(architecture);
}

/**
 * Cost of a measured token: the whole model, the pruned one, and the healed one before and after its weights are
 * rounded. Each of the last three compares its distribution with the whole model's.
 */
export function measuringWork(architecture: Architecture, removed: readonly number[], cost = each): number {
  const blocks = architecture.layers.length;
  const kept = sum(keptBlocks(blocks, removed).map(cost));
  return sum(keptBlocks(blocks, []).map(cost)) + 3 * (kept + 2 * headWork(architecture));
}

/** The kept blocks that the healed stream passes on its own: from the one before the first cut on. */
function healedBlocks(blocks: number, removed: readonly number[]): number[] {
  if (removed.length === 0) return [];
  const first = Math.min(...removed);
  return keptBlocks(blocks, removed).filter((layer) => layer >= first - 1);
}

/**
 * The widths of the inputs that are fitted. refit: of o_proj and down_proj of every healed block; the block before the
 * first cut needs no new o_proj. fold: of a block's output before a cut. scalar fits nothing.
 */
export function systemsOf({ layers, hidden }: Architecture, removed: readonly number[], method: HealMethod): number[] {
  if (method === 'scalar') return [];
  const healed = healedBlocks(layers.length, removed);
  if (method === 'fold') return healed.filter((layer) => removed.includes(layer + 1)).map(() => hidden);
  const first = Math.min(...removed);
  return healed.flatMap((layer) => {
    const { mixer, ffn } = healedSizes(layers[layer]);
    return layer < first ? [ffn] : [mixer, ffn];
  });
}

const mean = meanLayerParameters;
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
