/** What a method knows once it has looked at the model: what each ratio keeps. */
import type { LayerBiases, LayerWidth, UnitCounts } from '../../checkpoint/width';
import type { JobOptions } from '../../progress';
import type { UnitScores } from './units';

/** What a ratio keeps. */
export interface Chosen {
  /** One for each block. */
  readonly layers: readonly LayerWidth[];
  readonly scores: readonly UnitScores[];
  /** Units with higher scores are kept; undefined where each block has its own. */
  readonly threshold?: number;
  /** What the method could not do as asked. */
  readonly warnings: readonly string[];
}

export interface Measured {
  /**
   * How many units each block keeps at a ratio from 0 to below 1. It falls where the ratio rises. Cheap: the model does
   * not run.
   */
  readonly counts: (ratio: number) => readonly UnitCounts[];
  /** The units that are kept. @throws CancelledError */
  readonly choose: (ratio: number, job: JobOptions) => Promise<Chosen>;
  /** Biases for what is removed; undefined for a method without. @throws CancelledError */
  readonly biases?: (layers: readonly LayerWidth[], job: JobOptions) => Promise<LayerBiases[]>;
}
