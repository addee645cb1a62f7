/** Defaults of retraining: the paper's values (Shortened LLaMA, §3.3). Pure: job definitions use it. */
import { DEFAULT_SEED } from '../importance/drawing';

/** Defaults that do not depend on the data. */
export const DEFAULTS = {
  rank: 8,
  alpha: 16,
  dropout: 0.05,
  length: 256,
  seed: DEFAULT_SEED,
  batch: 64,
  epochs: 2,
  warmup: 100,
  evalEvery: 100,
  saveEvery: 200,
  clip: 1,
  selfTokens: 16384,
  /** The teacher's share of the loss; the text has the other half. */
  teacherWeight: 0.5,
  /** Of text that the teacher wrote itself: a token that it drew says less than the distribution that it was drawn from. */
  ownTeacherWeight: 1,
  // The paper's 1e-4 is for 1 600 steps of 64 rows. A hundred steps of 16 rows recover little with it, but much with
  // 1e-3.
  lora: { learningRate: 1e-3, weightDecay: 0, betas: [0.9, 0.999] },
  full: { learningRate: 1e-4, weightDecay: 0.1, betas: [0.9, 0.95] },
} as const;
