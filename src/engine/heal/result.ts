/** Settings and results of healing. */
import type { KeyedPatch } from '../weights/patches';
import type { HealMethod } from './methods';

export interface HealSettings {
  readonly method: HealMethod;
  /** In medians of the diagonal of XᵀX; "auto" chooses it on every fifth row; the method's rule when undefined. */
  readonly ridge?: number | 'auto';
  readonly step?: number;
  /** Before a cut, and of a fold. */
  readonly stepCut?: number;
}

/** How near a model is to the whole one, over all positions of some rows except the last of each. */
export interface Likeness {
  /** Mean token loss in nats, and perplexity. */
  readonly meanNll: number;
  readonly ppl: number;
  /** Mean KL divergence of the whole model's distribution from this one's, in nats. */
  readonly kl: number;
  /** Share of positions where both have the same most likely token. */
  readonly top1: number;
}

/** The pruned model on some rows: plain, healed, and healed with every new weight rounded to the file's type. */
export interface HealStages {
  readonly before: Likeness;
  readonly after: Likeness;
  readonly rounded: Likeness;
  readonly rows: number;
}

/** The correction of one Linear, in the order of the walk. */
export interface HealStep {
  readonly block: number;
  readonly tensor: 'o_proj' | 'down_proj';
  /** What is left out right after it: blocks by number, modules by name ("12.ffn"). */
  readonly removed: readonly (number | string)[];
  /** Trace and (lower) median of the diagonal of XᵀX; absent for scalar, as all below except `weight`. */
  readonly traceGram?: number;
  readonly medianGram?: number;
  /** ‖XᵀR‖ and ‖D‖ (Frobenius). */
  readonly normCross?: number;
  readonly normDelta?: number;
  /**
   * Σ (target − stream)² after this module, before and after the correction. Where a norm is behind the Linear, tokens are weighted
   * as they are in the fit.
   */
  readonly errorBefore?: number;
  readonly errorAfter?: number;
  /** The ridge that was used; null where "auto" found that none helps. */
  readonly ridge?: number | null;
  /** Only auto: the relative squared error on the rows that choose, for each ridge of the grid. */
  readonly heldErrors?: readonly number[];
  /** Only scalar: the factor of the cut. */
  readonly s?: number;
  /** The new weight: its norm, and its dot product with a fixed pseudo-random vector. Absent if it did not change. */
  readonly weight?: { readonly norm: number; readonly dot: number };
  /** The same of Mamba's new weight, where Mamba is beside attention and both are corrected at once. */
  readonly besideWeight?: { readonly norm: number; readonly dot: number };
  /** The same of the new weight of the norm behind it, in families that have one. */
  readonly normWeight?: { readonly norm: number; readonly dot: number };
}

export interface Healed {
  readonly steps: readonly HealStep[];
  /** The new weights. */
  readonly patches: readonly KeyedPatch[];
  /** On fitted rows; undefined if nothing was to be measured. */
  readonly fit?: HealStages;
  /** On rows that were not fitted; undefined without any. */
  readonly heldOut?: HealStages;
}
