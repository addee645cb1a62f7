/** When an iterative pruning ends: after a number of blocks, or before a limit of quality is crossed. */
import type { Likeness } from '../heal/result';
import { option } from '../option-token';
import { formatNumber } from '../../format/numbers';

/** Limits of the healed model on the measured rows; those that are undefined do not hold. */
export interface Limits {
  /** Perplexity, and mean KL divergence from the unpruned model in nats: at most. */
  readonly ppl?: number;
  readonly kl?: number;
  /** Mean accuracy on the tasks, as a share: at least. */
  readonly accuracy?: number;
  /** The most that it loses in a probe which the unpruned model can do, as a share: at most. */
  readonly probeLoss?: number;
}

/** What answers to questions tell of a healed model. */
export interface Answered {
  /** Mean accuracy on the tasks. */
  readonly accuracy?: number;
  /** The most that it scores less than the unpruned model in a probe which that can do. */
  readonly probeLoss?: number;
}

/** A measured model. */
export interface Quality extends Answered {
  readonly healed: Pick<Likeness, 'ppl' | 'kl'>;
}

/** The first limit that is crossed, in words; undefined when all hold. A number that is not finite crosses its limit. */
export function crossedLimit(
  { ppl, kl, accuracy, probeLoss }: Limits,
  { healed, accuracy: found, probeLoss: lost }: Quality,
): string | undefined {
  if (ppl !== undefined && !(healed.ppl <= ppl)) {
    return `its perplexity is ${formatNumber(healed.ppl, 4)}, above ${option('maxPpl', ppl)}`;
  }
  if (kl !== undefined && !(healed.kl <= kl)) {
    return `its KL divergence is ${formatNumber(healed.kl, 3)}, above ${option('maxKl', kl)}`;
  }
  if (accuracy !== undefined && !((found ?? NaN) >= accuracy)) {
    return `its accuracy is ${formatNumber(found ?? NaN, 3)}, below ${option('minAccuracy', accuracy)}`;
  }
  if (probeLoss !== undefined && !((lost ?? NaN) <= probeLoss)) {
    return `it loses ${formatNumber(lost ?? NaN, 3)} of its score in a probe, above ${option('maxProbeLoss', probeLoss)}`;
  }
  return undefined;
}
