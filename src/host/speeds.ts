/**
 * How fast this machine was: what each job that has ended took for its operations, from which the time of the next one
 * is estimated. Knows nothing of VS Code, so that plain Node can test it.
 */
import { type EstimatedWork, speedLike } from '../engine/importance/estimate';
import type { Memento } from './memento';

const KEY = 'speeds';
/** The newest are kept. */
const MOST = 40;

/** The speed of a job that has ended. */
export interface Speed {
  /** Execution provider. */
  readonly provider: string;
  readonly work: EstimatedWork;
  /** Operations of one application of a block to a row: small models are slower for their size. */
  readonly size: number;
  /** Operations a second. */
  readonly flops: number;
}

/** A product of a processor with wide registers, for each of its threads: where nothing was measured, a guess. */
const GUESS_PER_THREAD = 20e9;
/** Reading weights and adding them up in JavaScript. */
const GUESS_READING = 0.2e9;

export interface Estimate {
  readonly seconds: number;
  /** False where this machine has not run anything alike yet. */
  readonly measured: boolean;
}

export class Speeds {
  private readonly seen: Speed[];

  /** @param threads of this machine */
  constructor(
    private readonly store: Memento,
    private readonly threads: number,
  ) {
    const kept = store.get(KEY);
    this.seen = Array.isArray(kept) ? kept.filter(isSpeed) : [];
  }

  note(speed: Speed): void {
    if (!isSpeed(speed)) return;
    this.seen.unshift(speed);
    this.seen.splice(MOST);
    void this.store.update(KEY, this.seen);
  }

  /**
   * @param flops operations of the job
   * @param provider what will compute; any when that is not known yet
   */
  estimate(flops: number, wanted: Omit<Speed, 'flops' | 'provider'> & { readonly provider?: string }): Estimate {
    const { work, size, provider } = wanted;
    const reads = work === 'magnitude';
    const alike = this.seen.filter(
      (speed) => (speed.work === 'magnitude') === reads && (provider ?? speed.provider) === speed.provider,
    );
    // The same kind of work counts more than a model of the same size; of equals the newest, which stands first.
    const distance = (speed: Speed): number =>
      Math.abs(Math.log2(speed.size / size)) + (speed.work === work ? 0 : DIFFERENT_WORK);
    const [nearest] = [...alike].sort((a, b) => distance(a) - distance(b));
    if (nearest) return { seconds: flops / speedLike(work, nearest.work, nearest.flops), measured: true };
    const guess = reads ? GUESS_READING : speedLike(work, 'ppl', GUESS_PER_THREAD * this.threads);
    return { seconds: flops / guess, measured: false };
  }
}

/** In doublings of the model's size. */
const DIFFERENT_WORK = 2;

function isSpeed(value: unknown): value is Speed {
  if (typeof value !== 'object' || value === null) return false;
  const { provider, work, size, flops } = value as Partial<Record<keyof Speed, unknown>>;
  const positive = (n: unknown): boolean => typeof n === 'number' && Number.isFinite(n) && n > 0;
  return typeof provider === 'string' && typeof work === 'string' && positive(size) && positive(flops);
}
