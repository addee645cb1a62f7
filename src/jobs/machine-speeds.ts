/**
 * Speeds of finished jobs on this machine, which estimate the time of the next job. Does not use VS Code, so that
 * plain Node can test it.
 */
import { isObject } from '../format/json';
import { CRITERION_LIST } from '../engine/importance/criteria';
import { effortOf, type EstimatedWork, speedLike } from '../engine/importance/estimate';

/** Where speeds are kept: VS Code's memento is one. */
export interface SpeedStore {
  get(key: string): unknown;
  update(key: string, value: unknown): PromiseLike<void>;
}

const KEY = 'speeds';
/** Maximum number of speeds, newest first. */
const MAX_SPEEDS = 40;

/** The speed of a finished job. */
export interface Speed {
  /** Execution provider. */
  readonly provider: string;
  readonly work: EstimatedWork;
  /** Operations to apply a block to a row: small models are slower for their size. */
  readonly size: number;
  /** Operations per second. */
  readonly flops: number;
}

/**
 * A guess without measurements: operations per second and thread of a CPU with wide registers. Half and twice of it are told:
 * two threads of a server had 130e9 while nothing else ran, and 50e9 beside other work.
 */
const GUESS_PER_THREAD = 50e9;
/** The same for reading and adding weights in JavaScript. */
const GUESS_READING = 0.2e9;

export interface Estimate {
  readonly seconds: number;
  /** False if this machine has not run similar work yet. */
  readonly measured: boolean;
}

export class Speeds {
  private readonly seen: Speed[];

  /** @param threads of this machine */
  constructor(
    private readonly store: SpeedStore,
    private readonly threads: number,
  ) {
    const kept = store.get(KEY);
    this.seen = Array.isArray(kept) ? kept.filter(isSpeed) : [];
  }

  note(speed: Speed): void {
    if (!isSpeed(speed)) return;
    this.seen.unshift(speed);
    this.seen.splice(MAX_SPEEDS);
    void this.store.update(KEY, this.seen);
  }

  /**
   * @param flops operations of the job
   * @param provider execution provider; any if unknown
   */
  estimate(flops: number, wanted: Omit<Speed, 'flops' | 'provider'> & { readonly provider?: string }): Estimate {
    const { work, size, provider } = wanted;
    const reads = effortOf(work) === 'reading';
    const alike = this.seen.filter(
      (speed) => (effortOf(speed.work) === 'reading') === reads && (provider ?? speed.provider) === speed.provider,
    );
    // The same kind of work counts more than a similar size. The newest comes first among equals.
    const distance = (speed: Speed): number => Math.abs(Math.log2(speed.size / size)) + unlike(speed.work, work);
    const [nearest] = [...alike].sort((a, b) => distance(a) - distance(b));
    const guess = reads ? GUESS_READING : speedLike(work, 'ppl', GUESS_PER_THREAD * this.threads);
    if (!nearest) return { seconds: flops / guess, measured: false };
    const growth = reads ? 1 : filled(size) / filled(nearest.size);
    const found = speedLike(work, nearest.work, nearest.flops) * growth;
    // Most of a toy's time is spent between its products: it does not tell what this machine can do.
    if (size / nearest.size > FAR && guess > found) return { seconds: flops / guess, measured: false };
    return { seconds: flops / found, measured: true };
  }
}

/** Operations of a block on a row at which half of the time is spent on products, and half between them. */
const HALF_FILLED = 1e8;

/** The share of a machine's greatest speed that blocks of this size reach: stories of 2.6M parameters 0.37, SmolLM2 0.9. */
const filled = (size: number): number => size / (size + HALF_FILLED);

/** A model that is so many times as large is another thing. */
const FAR = 32;

/** In doublings of the model's size. */
const DIFFERENT_WORK = 2;
/** Of two sweeps over the model without a block: they run the same products, and open the model as seldom. */
const OTHER_SWEEP = 0.5;

function unlike(seen: EstimatedWork, wanted: EstimatedWork): number {
  if (seen === wanted) return 0;
  return isSweep(seen) && isSweep(wanted) ? OTHER_SWEEP : DIFFERENT_WORK;
}

const isSweep = (work: EstimatedWork): boolean => CRITERION_LIST.some(({ name, screens }) => name === work && screens);

function isSpeed(value: unknown): value is Speed {
  if (!isObject(value)) return false;
  const { provider, work, size, flops } = value;
  const positive = (n: unknown): boolean => typeof n === 'number' && Number.isFinite(n) && n > 0;
  return typeof provider === 'string' && typeof work === 'string' && positive(size) && positive(flops);
}
