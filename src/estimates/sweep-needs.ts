/**
 * What a share of a sweep needs: operations, bytes read, memory. Arithmetic on a model's shape, so it answers for models that
 * are not there too.
 */
import type { Architecture } from '../engine/checkpoint/architecture';
import { layerParameters, parametersOf } from '../engine/checkpoint/parameters';
import { expertsIn, layerSizes } from '../engine/checkpoint/kinds/parts';
import { rowBlockFlops } from '../engine/importance/estimate';
import { type Group, groupWork } from '../engine/importance/groups';
import { rowsPerRun } from '../engine/model/cost';
import { expertBytes, expertMemory } from '../engine/model/expert-memory';
import { HEAD_PIECE } from '../engine/model/piece';
import { costOf, type CuttableWork, numbersIn, type Share, size } from '../engine/parts/split';
import { isQuantized } from './models';

/** A model as far as its size matters. */
export interface SizedModel {
  readonly architecture: Architecture;
  /** Bytes of a stored number: 2 for BF16. */
  readonly bytesPerWeight: number;
}

/** How a job uses its rows. */
export interface Use {
  /** Tokens of a row. */
  readonly length: number;
  /** Bytes of memory for hidden states. */
  readonly budget: number;
  /** Models whose distributions are compared: 2 with a teacher. */
  readonly models?: number;
  /** Products if undefined. */
  readonly effort?: 'products' | 'gradients' | 'reading';
}

/** What a share needs. */
export interface Needs {
  readonly flops: number;
  /** From the checkpoint; a file that memory has room for is read from the disk once. */
  readonly readBytes: number;
  readonly memoryBytes: number;
}

/*
 * Memory, as measured in scores and evaluations of the sample model, SmolLM2-135M-Instruct and two blocks of LLaMA-7B's shapes: what this
 * says was 1 to 48 % above the peaks of 24 runs, most where these are small
 */
/** A process that has opened a model and not computed yet: Node, Coppice, onnxruntime. */
export const BASE = 200e6;
/** The same of one that only looks at stored weights, and what it reads of them at a time. */
export const READING = 130e6;
const MOST_READ = 64e6;
const FLOAT = 4;
/** Results that exist at the same time in a run, as wide as the FFN or the logits of a piece of the vocabulary. */
const ACTIVATIONS = 1.5;
/** Copies of results wait for the garbage collector: as many as there are states, and at most what V8 lets wait. */
const MOST_GARBAGE = 64e6;
/** Copies of a block while gradients are computed: weights, gradients, and sums of these where there are several runs. */
const GRADIENT_COPIES = 2.5;
/**
 * The loss with gradients has the whole head, and arrays of logits of so many bytes, or of one row. Opening the head takes copies of
 * it, more where it is quantized: with Gemma 3 270M in Q4_K_M, whose head is 671 MB, this says 0.9 times the peak of Taylor scores.
 */
const HEAD_COPIES = { stored: 1, quantized: 4.5 } as const;
const LOGITS = 64 * 2 ** 20;
const LOGIT_ARRAYS = 4;

/** @param length of a row @returns bytes of the hidden states of a row of one model */
const stateBytes = ({ hidden }: Architecture, length: number): number => length * hidden * FLOAT;

/** Bytes that a pass over all blocks and the head reads. */
export function passBytes({ architecture, bytesPerWeight }: SizedModel): number {
  const { vocabulary, hidden, tied } = architecture;
  return bytesPerWeight * (parametersOf(architecture) - (tied ? 0 : vocabulary * hidden));
}

/** What a share needs. @param work that the share is of */
export function needsOf(model: SizedModel, work: CuttableWork, share: Share, use: Use): Needs {
  const { architecture } = model;
  const { length, effort = 'products', models = 1 } = use;
  if (effort === 'reading') return readingNeeds(model, share);
  const groups = groupsOf(architecture, share, use);
  const waiting = stateBytes(architecture, length) * statesOf(architecture, groups, use);
  const losses = LOSS * size(share.rows) * length * (size(share.candidates) + 1) * models;
  const passes = effort === 'gradients' ? 2 : groups.length;
  return {
    flops: costOf(work, share) * rowBlockFlops(architecture, length),
    readBytes: passes * passBytes(model),
    memoryBytes: processBytes(model, share, use) + waiting + Math.min(waiting, MOST_GARBAGE) + losses,
  };
}

/** Bytes of a loss. */
const LOSS = 8;

/** Most hidden states of a row that are in memory at a time, all rows together. */
function statesOf(architecture: Architecture, groups: readonly Group[], use: Use): number {
  const { length, budget, effort, models = 1 } = use;
  if (effort !== 'gradients') {
    return Math.max(...groups.map(({ rows, candidates }) => rows.length * (candidates.length + models)));
  }
  // The inputs of all blocks are kept for the way back, in a file where they do not fit.
  const kept = groups.reduce((sum, { rows }) => sum + rows.length, 0) * (architecture.layers.length + 1);
  return kept * stateBytes(architecture, length) > budget ? 0 : kept;
}

/** Of a criterion that looks at the stored weights, one tensor after another. */
function readingNeeds({ architecture, bytesPerWeight }: SizedModel, { candidates }: Share): Needs {
  const blocks = layerParameters(architecture);
  const own = numbersIn(candidates).reduce((sum, k) => sum + (blocks[k] ?? 0), 0);
  return {
    flops: 2 * own,
    readBytes: bytesPerWeight * own,
    memoryBytes: READING + Math.min(MOST_READ, FLOAT * Math.max(...blocks)),
  };
}

/** The groups of rows and candidates whose hidden states are in memory together: each passes all blocks. */
export function groupsOf(architecture: Architecture, { rows, candidates }: Share, use: Use): Group[] {
  const { length, budget, models = 1 } = use;
  const some = numbersIn(rows).map(() => []); // only how many there are matters
  const bytes = stateBytes(architecture, length);
  return groupWork(some, numbersIn(candidates), bytes, budget, models - 1, rowsPerRun(length));
}

/** Bytes of each block while it is open in a forward pass; of its experts, those that have room for a budget. */
export function openBlocks(architecture: Architecture, budget: number): number[] {
  const parameters = layerParameters(architecture);
  return architecture.layers.map((layer, block) => {
    const experts = expertsIn(layer);
    if (!experts) return FLOAT * parameters[block];
    const all = experts.count * expertBytes(architecture, block);
    const open = all <= budget ? all : Math.min(all, expertMemory(budget).group);
    return FLOAT * parameters[block] - all + open;
  });
}

/** Memory of a process besides hidden states and what is found. */
function processBytes(
  { architecture, bytesPerWeight }: SizedModel,
  { rows }: Share,
  { length, budget, effort, models = 1 }: Use,
): number {
  const { hidden, layers, vocabulary } = architecture;
  const block = Math.max(...openBlocks(architecture, budget));
  const tokens = length * Math.min(size(rows), rowsPerRun(length));
  const widest = Math.max(HEAD_PIECE, ...layers.map(layerSizes).map(({ mixer, ffn }) => Math.max(ffn, mixer)));
  const activations = ACTIVATIONS * FLOAT * tokens * (widest + hidden) * models;
  if (effort !== 'gradients') return BASE + Math.max(block, models * FLOAT * HEAD_PIECE * hidden) + activations;
  const logits = Math.min(FLOAT * tokens * vocabulary, Math.max(LOGITS, FLOAT * length * vocabulary));
  const heads = HEAD_COPIES[isQuantized(bytesPerWeight) ? 'quantized' : 'stored'];
  const head = heads * FLOAT * vocabulary * hidden + LOGIT_ARRAYS * logits;
  const copies = GRADIENT_COPIES + Number(size(rows) > rowsPerRun(length));
  return BASE + Math.max(copies * block, head) + copies * activations;
}
