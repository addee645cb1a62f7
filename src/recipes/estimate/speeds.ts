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

const NAME = 'speeds.json';
/** Forty speeds have some kilobytes. */
const MAX_BYTES = 64 * 2 ** 10;

/** What is counted in bytes: weights that a decoded token reads, and files that are read and written. */
export type Stream = 'decode' | 'files';

/** A guess without measurements, in bytes a second. */
const GUESS: Readonly<Record<Stream, number>> = { decode: 8e9, files: 200e6 };

/** Work that is done at a speed of its own. */
export type Part =
  /** @property size operations of a mean block on a row: small models are slower for their size */
  | { readonly kind: 'products'; readonly work: EstimatedWork; readonly flops: number; readonly size: number }
  | { readonly kind: Stream; readonly bytes: number }
  /** Takes the same time on every machine. */
  | { readonly kind: 'seconds'; readonly seconds: number };

export class MachineSpeeds {
  private readonly values: Record<string, unknown>;
  private readonly products: Speeds;
  private changed = false;

  private constructor(
    /** Undefined: nothing is kept. */
    private readonly file: string | undefined,
    kept: object,
    threads: number,
  ) {
    this.values = { ...kept };
    const store: SpeedStore = {
      get: (key) => this.values[key],
      update: (key, value) => {
        this.values[key] = value;
        this.changed = true;
        return Promise.resolve();
      },
    };
    this.products = new Speeds(store, threads);
  }

  /** The speeds that are known; in the user's cache folder if no other is named. */
  static async open(folder?: string, threads = availableParallelism()): Promise<MachineSpeeds> {
    const file = join(folder ?? (await cacheFolder()), NAME);
    return new MachineSpeeds(file, await readKept(file), threads);
  }

  /** Speeds that are kept nowhere. */
  static none(threads = availableParallelism()): MachineSpeeds {
    return new MachineSpeeds(undefined, {}, threads);
  }

  /** How long a part takes. */
  estimate(part: Part): Estimate {
    switch (part.kind) {
      case 'seconds':
        return { seconds: part.seconds, measured: true };
      case 'products':
        return this.products.estimate(part.flops, part);
      default: {
        const rate = this.values[part.kind];
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
    } else if (part.kind !== 'seconds' && isPositive(part.bytes)) {
      this.values[part.kind] = part.bytes / seconds;
      this.changed = true;
    }
  }

  /** Writes what was learned. A folder that cannot be written to is no failure: the next run guesses again. */
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
