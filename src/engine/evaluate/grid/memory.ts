/**
 * The memory that a cell needs, predicted from the architecture: weights, cache of keys and values, activations, logits,
 * and what every process needs. `PAPER_DEVICE` gives the paper's Table 9, `DECODER` what the decoder here takes. Pure
 * arithmetic; it loads nothing that computes.
 */
import { elements, moduleParameters } from '../../checkpoint/parameters';
import type { Architecture } from '../../checkpoint/architecture';
import { layerSizes, windowOf } from '../../checkpoint/kinds/parts';
import { outerWeights } from '../../checkpoint/weight-names';
import type { View } from '../../model/view';

/** A cell of the grid. */
export interface Cell {
  /** Texts side by side (M). */
  readonly batch: number;
  readonly promptTokens: number;
  /** New tokens of each text (L). */
  readonly newTokens: number;
}

/** How an implementation keeps things. Sizes are bytes of a number. */
export interface MemoryModel {
  readonly weight: number;
  readonly cache: number;
  readonly activation: number;
  readonly logit: number;
  /** The embedding is in memory too where it is not also the head. */
  readonly holdsEmbedding: boolean;
  /** A block with a window keeps only the positions that it sees. */
  readonly cutsWindows: boolean;
  /** Caches at a time: 1 for one that is filled in place, 2 while an old one is copied into a new one, 3 with a copy. */
  readonly cacheFactor: number;
  /** Positions are added by this many. */
  readonly growth: number;
  /** The products of all queries with all keys exist at a time; otherwise in tiles that do not count. */
  readonly materialisesScores: boolean;
  /** Tokens of all texts that are read at a time; everything when undefined. */
  readonly tokensPerRun?: number;
  /** Copies of the logits. */
  readonly logitCopies: number;
}

/**
 * transformers 4.40 in half precision: each step concatenates the caches, so that the old, the new and a temporary one
 * exist. Activations are negligible, and so they are left out.
 */
export const PAPER_DEVICE: MemoryModel = {
  weight: 2,
  cache: 2,
  activation: 0,
  logit: 0,
  holdsEmbedding: true,
  cutsWindows: true,
  cacheFactor: 3,
  growth: 1,
  materialisesScores: false,
  logitCopies: 0,
};

/**
 * The decoder of this engine (model/decoder.ts): float32, caches that grow by 64 positions, and logits that onnxruntime
 * copies on the way out. While caches grow, old and new ones exist, and some that JavaScript has not freed yet: with
 * SmolLM2, peaks were 2.2 to 2.7 caches above the model at rest (8 and 32 texts of 40 and 250 tokens).
 */
export const DECODER: MemoryModel = {
  weight: 4,
  cache: 4,
  activation: 4,
  logit: 4,
  holdsEmbedding: false,
  cutsWindows: false,
  cacheFactor: 2.5,
  growth: 64,
  materialisesScores: false,
  tokensPerRun: 256,
  logitCopies: 2,
};

/** Bytes. */
export interface MemoryPrediction {
  readonly weights: number;
  /** All copies of the cache. */
  readonly cache: number;
  readonly activations: number;
  readonly head: number;
  /** Code, runtime and slack of the allocator, as measured. */
  readonly fixed: number;
  readonly total: number;
}

/** @param fixed bytes that the process needs besides, measured once with one text of one token */
export function predictMemory(
  a: Architecture,
  view: View,
  cell: Cell,
  model: MemoryModel,
  fixed = 0,
): MemoryPrediction {
  const weights = weightBytes(a, view, model);
  const cache = model.cacheFactor * cacheBytes(a, view, cell, model);
  const { batch, promptTokens, newTokens } = cell;
  const activations = Math.max(
    activationBytes(a, view, Math.min(batch * promptTokens, model.tokensPerRun ?? Infinity), promptTokens, model),
    activationBytes(a, view, batch, promptTokens + newTokens, model),
  );
  const head = batch * a.vocabulary * model.logit * model.logitCopies;
  return { weights, cache, activations, head, fixed, total: weights + cache + activations + head + fixed };
}

/** Bytes of the weights that are held while the model decodes. A tied head counts once. */
function weightBytes(a: Architecture, view: View, { weight, holdsEmbedding }: MemoryModel): number {
  const { embed } = outerWeights(a);
  const embedding = holdsEmbedding && !a.tied ? elements(embed.shape) : 0;
  return weight * (readParameters(a, view) + embedding);
}

/** Parameters that every token reads: the kept parts of the blocks, the last norm and the head. */
export function readParameters(a: Architecture, view: View): number {
  const { finalNorm, head } = outerWeights(a);
  const blocks = a.layers.map((_, block) => {
    const { attention, ffn } = moduleParameters(a, block);
    return (view.attention[block] ? attention : 0) + (view.ffn[block] ? ffn : 0);
  });
  return blocks.reduce((sum, each) => sum + each, 0) + elements(finalNorm.shape) + elements(head.shape);
}

/** Bytes of the keys and values of all texts at their end: 2 · G · d · M · S in each block with attention. */
export function cacheBytes(
  a: Architecture,
  view: View,
  { batch, promptTokens, newTokens }: Cell,
  { cache, cutsWindows, growth }: Pick<MemoryModel, 'cache' | 'cutsWindows' | 'growth'>,
): number {
  const positions = promptTokens + newTokens;
  // The last token is never fed, so that a cache in steps may end one earlier.
  const room = growth === 1 ? positions : Math.min(positions, Math.ceil((positions - 1) / growth) * growth);
  return a.layers.reduce((sum, layer, block) => {
    const { kvHeads, headDim } = layerSizes(layer);
    const window = windowOf(layer);
    const seen = cutsWindows ? Math.min(room, window ?? Infinity) : room;
    return sum + (view.attention[block] ? 2 * kvHeads * headDim * cache * batch * seen : 0);
  }, 0);
}

/** The largest moment of a forward pass over `tokens` tokens, all texts together, each of which sees `visible` positions. */
function activationBytes(
  a: Architecture,
  view: View,
  tokens: number,
  visible: number,
  { activation, materialisesScores }: MemoryModel,
): number {
  const widest = a.layers.reduce((most, layer, block) => {
    const { heads, kvHeads, headDim, ffn } = layerSizes(layer);
    const scores = materialisesScores ? heads * visible : 0;
    const attention = view.attention[block] ? (2 * heads + 2 * kvHeads) * headDim + scores : 0;
    return Math.max(most, attention, view.ffn[block] ? 2 * ffn + a.hidden : 0);
  }, 0);
  return tokens * activation * (2 * a.hidden + widest);
}
