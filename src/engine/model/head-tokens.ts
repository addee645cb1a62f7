/** How many tokens go through the head of a training together. Pure: the memory of a training follows from it. */
import type { Architecture } from '../checkpoint/architecture';
import { elements } from '../checkpoint/parameters';
import { outerWeights } from '../checkpoint/weight-names';

/** Bytes of logits at a time. The graph holds a few arrays of that size. */
const LOGITS_BYTES = 64 << 20;
const MAX_TOKENS = 1024;

/** Most bytes of logits at a time, as a share of a trained head. */
const TRAINED_SHARE = 1 / 2;

/**
 * Bytes of logits at a time. A trained head has a gradient of its own size in every run: it is worth as many tokens. Gemma 3 270M
 * has a head of 671 MB, and 64 MiB of logits are 64 tokens.
 * @param trained without a teacher, whose head holds three times as many arrays of that size
 */
export function logitsBytes(architecture: Architecture, trained = false): number {
  const head = 4 * elements(outerWeights(architecture).head.shape);
  return Math.min(4 * MAX_TOKENS * architecture.vocabulary, Math.max(LOGITS_BYTES, trained ? TRAINED_SHARE * head : 0));
}

/** Tokens at a time, at least one. */
export const headTokens = (architecture: Architecture, trained?: boolean): number =>
  Math.max(1, Math.floor(logitsBytes(architecture, trained) / (4 * architecture.vocabulary)));
