/**
 * What a healing in parts needs: memory of a part, and files in the folder that all share. Arithmetic on a model's shape, so it
 * answers for models that are not there too.
 */
import type { Architecture } from '../engine/checkpoint/architecture';
import { layerParameters } from '../engine/checkpoint/parameters';
import { keptBlocks } from '../engine/checkpoint/block-list';
import { layerSizes } from '../engine/checkpoint/kinds/parts';
import { systemsOf } from '../engine/heal/cost';
import { MOST_GROUPS, tokensPerRun } from '../engine/heal/groups';
import type { HealMethod } from '../engine/heal/methods';
import { rowsPerRun } from '../engine/model/cost';
import { BASE, passBytes, type SizedModel } from './sweep-needs';

/** A healing that is cut. */
export interface CutHealing {
  /** Blocks that are left out. */
  readonly removed: readonly number[];
  readonly method: HealMethod;
  /** Rows that are fitted, and their tokens. */
  readonly rows: number;
  readonly length: number;
  readonly parts: number;
  /** Bytes of memory for hidden states. */
  readonly budget: number;
}

export interface HealPartNeeds {
  /** Of a part, and of the one that adds and solves, which any process may have to do. */
  readonly memoryBytes: number;
  readonly solverBytes: number;
  /** Of a part, on a disk of its own machine: hidden states that memory has no room for. */
  readonly scratchBytes: number;
  /** Of one file of sums at the widest site, and of all files of sums there: they go when the site is solved. */
  readonly sumsBytes: number;
  readonly allSumsBytes: number;
  /** Of the new weights, which stay until the model is written. */
  readonly weightsBytes: number;
  /** That a part reads of the checkpoint. */
  readonly readBytes: number;
}

/** Streams of hidden states that a healing keeps. */
const STREAMS = 5;
/** Copies of a block: one is open in each of the two streams, and one is on its way. */
const BLOCKS = 3;
/** Of XᵀX, as products in float32: the blocks on and below the diagonal. */
const TRIANGLE = 0.58;
/** Matrices as large as XᵀR while a site is solved, in float64. */
const SIDES = 5;

/** Bytes of the sums of a site in a file: half of XᵀX, and XᵀR. */
export const sumsBytes = (inputs: number, outputs: number): number => 4 * ((inputs * inputs) / 2 + inputs * outputs);

/** Files of sums of a site. */
export function sumFiles(architecture: Architecture, { rows, length }: Pick<CutHealing, 'rows' | 'length'>): number {
  const runs = Math.ceil(rows / rowsPerRun(length, tokensPerRun(architecture)));
  return runs <= MOST_GROUPS ? runs : Math.ceil(runs / Math.ceil(runs / MOST_GROUPS));
}

export function healPartNeeds(model: SizedModel, cut: CutHealing): HealPartNeeds {
  const { architecture } = model;
  const { hidden, layers, vocabulary } = architecture;
  const { removed, method, rows, length, parts, budget } = cut;
  const systems = systemsOf(architecture, removed, method);
  const width = Math.max(0, ...systems);
  const side = width * hidden;
  const widest = Math.max(hidden, ...layers.map(layerSizes).map(({ mixer, ffn }) => Math.max(mixer, ffn)));
  const tokens = Math.ceil(rows / parts) * length;
  const states = 4 * tokens * (STREAMS * hidden + widest);
  const fixed = BASE + BLOCKS * 4 * Math.max(...layerParameters(architecture)) + 4 * vocabulary * hidden;
  const held = fixed + Math.min(budget, states);
  const own = sumsBytes(width, hidden);
  // The sums of a group in float64, and the products of a run.
  const summing = 2 * own + 4 * (TRIANGLE * width * width + side);
  const solving = 8 * ((width * width) / 2 + SIDES * side);
  const first = Math.max(0, Math.min(...removed) - 1);
  const passed = keptBlocks(layers.length, removed).filter((block) => block >= first).length / layers.length;
  return {
    memoryBytes: held + summing,
    solverBytes: held + Math.max(summing, solving),
    scratchBytes: states > budget ? states : 0,
    sumsBytes: own,
    allSumsBytes: own * sumFiles(architecture, cut),
    weightsBytes: systems.reduce((sum, inputs) => sum + 4 * inputs * hidden, 0),
    readBytes: passBytes(model) * (1 + passed),
  };
}
