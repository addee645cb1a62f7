/**
 * What this machine does in a second, learned from finished steps and kept in the user's cache folder, so that a plan can
 * tell times. Nothing depends on it: a file that is missing or damaged counts as empty.
 */
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../engine/files/cache';
import { readSmallFile } from '../../engine/files/regular-file';
import { writeWhole } from '../../engine/files/whole-file';
import { UserError } from '../../engine/errors';
import type { EstimatedWork } from '../../engine/importance/estimate';
import { isObject } from '../../format/json';
import { type Estimate, Speeds, type SpeedStore } from '../../jobs/machine-speeds';
import type { Expected } from '../types';

const NAME = 'speeds.json';
/** Forty speeds have some kilobytes. */
const MAX_BYTES = 64 * 2 ** 10;

/**
 * What is counted in bytes: weights that a decoded token reads, files that are read and written, and weights that are compared
 * with those of another file, each in 32 bits: they are read, dequantised and put into sessions that compute.
 */
export type Stream = 'decode' | 'files' | 'compared';

/** A guess without measurements, in bytes a second. */
const GUESS: Readonly<Record<Stream, number>> = { decode: 8e9, files: 200e6, compared: 40e6 };

/** Work that is done at a speed of its own. */
export type Part =
  /** @property size operations of a mean block on a row: small models are slower for their size */
  | { readonly kind: 'products'; readonly work: EstimatedWork; readonly flops: number; readonly size: number }
  | { readonly kind: 'files' | 'compared'; readonly bytes: number }
  /** @property perToken bytes that a token reads: models that a cache holds are another thing */
  | { readonly kind: 'decode'; readonly bytes: number; readonly perToken: number }
  /** Takes the same time on every machine. */
  | { readonly kind: 'seconds'; readonly seconds: number };

export class MachineSpeeds {
  private constructor(
    private readonly store: SpeedStore,
    private readonly products: Speeds,
    /** Writes what was learned. */
    private readonly write: () => Promise<void>,
    /** What computes, where that is known; speeds of anything otherwise. */
    private readonly provider?: string,
  ) {}

  /** The speeds that are known; in the user's cache folder if no other is named. */
  static async open(folder?: string, threads = availableParallelism()): Promise<MachineSpeeds> {
    const file = join(folder ?? (await cacheFolder()), NAME);
    const kept = new Kept(await readKept(file), file);
    return new MachineSpeeds(kept, new Speeds(kept, threads), () => kept.save());
  }

  /** Speeds that are kept nowhere. */
  static none(threads = availableParallelism()): MachineSpeeds {
    const kept = new Kept({});
    return new MachineSpeeds(kept, new Speeds(kept, threads), () => kept.save());
  }

  /** Speeds that something else keeps, which writes them at once. @param provider what computes, if that is known */
  static over(store: SpeedStore, products: Speeds, provider?: string): MachineSpeeds {
    return new MachineSpeeds(store, products, () => Promise.resolve(), provider);
  }

  /** How long a part takes. */
  estimate(part: Part): Estimate {
    switch (part.kind) {
      case 'seconds':
        return { seconds: part.seconds, measured: true };
      case 'products':
        return this.products.estimate(part.flops, {
          ...part,
          ...(this.provider !== undefined && { provider: this.provider }),
        });
      default: {
        const rate = this.store.get(part.kind);
        const measured = isPositive(rate);
        return { seconds: part.bytes / (measured ? rate : GUESS[part.kind]), measured };
      }
    }
  }

  /** Learns that the part took these seconds. Fractions of a second tell nothing. */
  learn(part: Part, seconds: number, provider: string): void {
    if (!(seconds >= LEAST_SECONDS)) return;
    if (part.kind === 'products') {
      const { work, size, flops } = part;
      this.products.note({ provider, work, size, flops: flops / seconds });
    } else if (part.kind !== 'seconds' && isPositive(part.bytes) && tells(part)) {
      void this.store.update(part.kind, part.bytes / seconds);
    }
  }

  /** Writes what was learned. */
  save(): Promise<void> {
    return this.write();
  }
}

/** Less than this, read from a cache or of small files, takes as long as what is between. */
const LEAST: Readonly<Record<Stream, number>> = { decode: 80e6, files: 20e6, compared: 20e6 };

/** Whether the part is large enough to tell how fast larger ones are. */
const tells = (part: Extract<Part, { readonly kind: Stream }>): boolean =>
  (part.kind === 'decode' ? part.perToken : part.bytes) >= LEAST[part.kind];

/** How long all parts take together, and whether most of that is guessed. Undefined where it is no number. */
export function expectedOf(parts: readonly Part[], speeds: MachineSpeeds): Expected | undefined {
  const each = parts.map((part) => speeds.estimate(part));
  const seconds = each.reduce((sum, part) => sum + part.seconds, 0);
  if (!Number.isFinite(seconds)) return undefined;
  // What takes next to none of the time decides nothing.
  const guessed = each.reduce((sum, part) => sum + (part.measured ? 0 : part.seconds), 0);
  return { seconds, from: guessed > seconds / 2 ? 'guess' : 'speed' };
}

/** Speeds in a file. */
class Kept implements SpeedStore {
  private readonly values: Record<string, unknown>;
  private changed = false;

  /** @param file undefined: nothing is kept */
  constructor(
    values: object,
    private readonly file?: string,
  ) {
    this.values = { ...values };
  }

  get(key: string): unknown {
    return this.values[key];
  }

  update(key: string, value: unknown): Promise<void> {
    this.values[key] = value;
    this.changed = true;
    return Promise.resolve();
  }

  /** A folder that cannot be written to is no failure: the next run guesses again. */
  async save(): Promise<void> {
    if (!this.changed || this.file === undefined) return;
    this.changed = false;
    try {
      await mkdir(dirname(this.file), { recursive: true });
      await writeWhole(this.file, `${JSON.stringify(this.values)}\n`);
    } catch (error) {
      if (!(error instanceof UserError) && !(error instanceof Error && 'code' in error)) throw error;
    }
  }
}

const LEAST_SECONDS = 0.2;

const isPositive = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;

async function readKept(file: string): Promise<object> {
  try {
    const value: unknown = JSON.parse((await readSmallFile(file, MAX_BYTES)).toString('utf8'));
    return isObject(value) ? value : {};
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof SyntaxError)) throw error;
    return {};
  }
}
