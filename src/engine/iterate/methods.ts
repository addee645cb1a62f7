/** What heals the model after each round of an iterative pruning. Pure: job definitions use it. */
import { HEAL_METHODS, type HealMethod } from '../heal/methods';

/** Training of adapters or of every weight, the closed forms, or nothing. */
export const ITERATIVE_METHODS = ['lora', 'full', ...HEAL_METHODS, 'none'] as const;

/** What heals after each removal. */
export type IterativeMethod = (typeof ITERATIVE_METHODS)[number];

/** The methods that train, and so need steps and data. */
export type TrainedMethod = 'lora' | 'full';

export const isTrained = (method: IterativeMethod): method is TrainedMethod => method === 'lora' || method === 'full';

export const isClosed = (method: IterativeMethod): method is HealMethod => !isTrained(method) && method !== 'none';
