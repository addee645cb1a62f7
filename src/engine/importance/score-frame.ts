/** Checks what a file says that the numbers of a scoring mean. */
import { isObject } from '../../format/json';
import { PRECISIONS } from '../precision';
import type { ScoreFrame } from './criterion';

/** More than any model has blocks and modules. */
const MAX_STEPS = 100_000;

/** Why `value` is no frame, in words; undefined when it is one. */
export function scoreFrameFault(value: unknown): string | undefined {
  if (!isObject(value)) return 'it is not an object';
  const { steps, granularity, precision } = value;
  for (const name of ['rows', 'length', 'seed'] satisfies (keyof ScoreFrame)[])
    if (!isCount(value[name])) return `${name} is not a whole number`;
  if (granularity !== 'block' && granularity !== 'module') return 'granularity is unknown';
  if (precision !== undefined && !PRECISIONS.some((each) => each === precision)) return 'precision is unknown';
  if (!Array.isArray(steps) || steps.length > MAX_STEPS || !steps.every(isStep)) return 'steps is not a list of steps';
  return undefined;
}

const isCount = (value: unknown): boolean => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

const isStep = (value: unknown): boolean =>
  isObject(value) && isCount(value.block) && typeof value.attention === 'boolean' && typeof value.ffn === 'boolean';
