/**
 * Whether a model can do what a probe asks for. Of what the original cannot do nothing can be lost, and a difference between two
 * models that guess says nothing.
 */
import type { ProbeScore } from './score';

/** A model that writes and is right in fewer of its answers cannot do it: one lucky answer is no ability. */
const LEAST = 0.05;
/** Half of a 95 % interval in standard errors. */
const NORMAL_95 = 1.96;

/** The score of a model that cannot do it, which it must exceed by more than 1.96 standard errors. */
export const floorOf = (chance: number): number => Math.max(chance, LEAST);

/** @param stderr null for a single question, which shows nothing */
export const isAble = ({ score, stderr, chance }: Pick<ProbeScore, 'score' | 'stderr' | 'chance'>): boolean =>
  stderr !== null && score - NORMAL_95 * stderr > floorOf(chance);
