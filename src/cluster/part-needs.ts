/**
 * What a share of a sweep needs: operations, bytes read, memory. Arithmetic on a model's shape, so it answers for models that
 * are not there too.
 */
import { type Architecture } from '../engine/checkpoint/architecture';
import { layerParameters, parametersOf } from '../engine/checkpoint/parameters';
import { rowBlockFlops } from '../engine/importance/estimate';
import { type Group, groupWork } from '../engine/importance/groups';
import { rowsPerRun } from '../engine/model/cost';
import { HEAD_PIECE } from '../engine/model/piece';
import { costOf, type CuttableWork, numbersIn, type Share, size } from '../engine/parts/split';

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
  readonly gradients?: boolean;
}

/** What a share needs. */
export interface Needs {
  readonly flops: number;
  /** From the checkpoint; a file that memory has room for is read from the disk once. */
  readonly readBytes: number;
  readonly memoryBytes: number;
}

/** A process that has opened a model and not computed yet: Node, Coppice, onnxruntime. */
const BASE = 160e6;
/**
 * Of a float32 copy of a block, or of a piece of the head: onnxruntime packs one weight after another and frees the first copy,
 * but not all of it goes back to the system at once.
 */
const OPENED = 1.5;
/** The same while gradients are computed: weights, gradients and their sums. */
const WITH_GRADIENTS = 4.5;
const FLOAT = 4;
/** Intermediate results of a run that exist at the same time: of the FFN's width, of the residual stream's, and of logits. */
const ACTIVATIONS = 3;

/** @param length of a row @returns bytes of the hidden states of a row of one model */
const stateBytes = ({ hidden }: Architecture, length: number): number => length * hidden * FLOAT;

/** Bytes that a pass over all blocks and the head reads. */
export function passBytes({ architecture, bytesPerWeight }: SizedModel): number {
  const { vocabulary, hidden, tied } = architecture;
  return bytesPerWeight * (parametersOf(architecture) - (tied ? 0 : vocabulary * hidden));
}

/** What a share of a sweep needs. @param work that the share is of */
export function needsOf(model: SizedModel, work: CuttableWork, share: Share, use: Use): Needs {
  const { architecture } = model;
  const { length, models = 1 } = use;
  const groups = groupsOf(architecture, share, use);
  const states = Math.max(...groups.map((group) => group.rows.length * (group.candidates.length + models)));
  const losses = size(share.rows) * length * (size(share.candidates) + 1) * 8 * models;
  return {
    flops: costOf(work, share) * rowBlockFlops(architecture, length),
    readBytes: groups.length * (use.gradients ? 2 : 1) * passBytes(model),
    memoryBytes: processBytes(architecture, use) + states * stateBytes(architecture, length) + losses,
  };
}

/** The groups of rows and candidates whose hidden states are in memory together: each passes all blocks. */
export function groupsOf(architecture: Architecture, { rows, candidates }: Share, use: Use): Group[] {
  const { length, budget, models = 1 } = use;
  const some = numbersIn(rows).map(() => []); // only how many there are matters
  return groupWork(some, numbersIn(candidates), stateBytes(architecture, length), budget, models - 1);
}

/** Memory of a process besides hidden states. */
export function processBytes(architecture: Architecture, { length, gradients = false, models = 1 }: Use): number {
  const { hidden, layers } = architecture;
  const block = FLOAT * Math.max(...layerParameters(architecture));
  const piece = FLOAT * HEAD_PIECE * hidden;
  const tokens = length * rowsPerRun(length);
  const widest = Math.max(
    HEAD_PIECE * models,
    ...layers.map(({ ffn, heads, headDim }) => Math.max(ffn, heads * headDim)),
  );
  const activations = ACTIVATIONS * FLOAT * tokens * (widest + hidden);
  const opened = gradients ? WITH_GRADIENTS * block : OPENED * Math.max(block, models * piece);
  return BASE + opened + activations;
}
