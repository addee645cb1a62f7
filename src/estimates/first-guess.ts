/**
 * How fast a machine is before it has run any job: from a short measurement of the device (`measure-rates.ts`), or where
 * there is none yet, a guess.
 */
import { effortOf, speedLike } from '../engine/importance/estimate';
import { isObject } from '../format/json';
import type { Work } from './work';

/** What a device does in a second. */
export interface Rates {
  /** Operations in bare products. */
  readonly flops: number;
  /** Bytes that are read from memory. */
  readonly bytes: number;
  /** Numbers that JavaScript adds up. */
  readonly numbers: number;
  /** Bytes of a file that are written and read back. */
  readonly files: number;
}

/** A thread of a CPU with wide registers, and a memory of two channels. */
const UNKNOWN = { flopsPerThread: 80e9, bytes: 10e9, numbers: 1e9, files: 500e6 } as const;

/** Shares of these rates that jobs reach, all overheads included (`npm run bench -- estimates`). */
const SHARES = {
  products: 0.7,
  decode: 0.8,
  files: 0.6,
  opened: 0.8,
  compared: 0.08,
  moved: 0.4,
  reading: 0.4,
} as const;

/** Operations or bytes a second of this work, before anything like it has run. @param threads of the CPU */
export function firstGuess(
  work: Exclude<Work, { readonly kind: 'seconds' }>,
  rates: Rates | undefined,
  threads: number,
): number {
  const { flops, bytes, numbers, files } = rates ?? { ...UNKNOWN, flops: UNKNOWN.flopsPerThread * threads };
  switch (work.kind) {
    case 'products':
      if (effortOf(work.work) === 'reading') return SHARES.reading * numbers;
      return speedLike(work.work, 'ppl', SHARES.products * flops) * filled(work.size);
    case 'decode':
      return SHARES.decode * bytes;
    case 'files':
      return SHARES.files * files;
    case 'opened':
      return SHARES.opened * numbers;
    case 'compared':
    case 'moved':
      return SHARES[work.kind] * numbers;
  }
}

/** Operations of a block at which half of the time is spent on products, and half between them. */
const HALF_FILLED = 1e8;

/** The share of a machine's greatest speed that blocks of this size reach: stories of 2.6M parameters 0.37, SmolLM2 0.9. */
export const filled = (size: number): number => size / (size + HALF_FILLED);

/** Undefined where the value is not a measurement. */
export function ratesIn(value: unknown): Rates | undefined {
  if (!isObject(value)) return undefined;
  const { flops, bytes, numbers, files } = value;
  const isRate = (each: unknown): each is number => typeof each === 'number' && Number.isFinite(each) && each > 0;
  return isRate(flops) && isRate(bytes) && isRate(numbers) && isRate(files)
    ? { flops, bytes, numbers, files }
    : undefined;
}
