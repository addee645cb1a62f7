/**
 * What this machine does in a second: learned from finished jobs, and before those from a measurement of two seconds. One
 * file in the user's cache folder has it for terminal and editor. Nothing depends on it: a file that is missing or damaged
 * counts as empty.
 */
import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { UserError } from '../engine/errors';
import { cacheFolder } from '../engine/files/cache';
import { readSmallFile } from '../engine/files/regular-file';
import { writeWhole } from '../engine/files/whole-file';
import { effortOf, type EstimatedWork, speedLike } from '../engine/importance/estimate';
import { CRITERION_LIST } from '../engine/importance/criteria';
import { isObject } from '../format/json';
import { filled, firstGuess, type Rates, ratesIn } from './first-guess';
import { type Stream, STREAMS, type Work } from './work';

const NAME = 'speeds.json';
/** Forty speeds have some kilobytes. */
const MAX_BYTES = 64 * 2 ** 10;
/** Maximum number of speeds, newest first. */
const MAX_SPEEDS = 40;

/** How long something takes. */
export interface Time {
  readonly seconds: number;
  /** Most of it follows from what this machine has done before; otherwise it is a guess. */
  readonly measured: boolean;
}

/** The speed of a finished job. */
export interface Speed {
  /** Execution provider. */
  readonly provider: string;
  readonly work: EstimatedWork;
  /** Operations of a mean block: small models are slower for their size. */
  readonly size: number;
  /** Operations per second. */
  readonly flops: number;
}

/** What is kept: speeds of products, the newest first, and rates by name. */
type Kept = Readonly<Record<string, unknown>>;

export class MachineSpeeds {
  private kept: Kept = {};
  private seen: readonly Speed[] = [];
  /** What was learned since the file was read. */
  private learned: { readonly speeds: Speed[]; readonly rates: Record<string, unknown> } = { speeds: [], rates: {} };

  /** @param folder of the file, which `read` reads; undefined: nothing is kept */
  constructor(
    private readonly folder?: string | Promise<string>,
    readonly threads = availableParallelism(),
  ) {}

  /** The speeds that are known; in the user's cache folder if no other is named. */
  static async open(folder?: string, threads?: number): Promise<MachineSpeeds> {
    const speeds = new MachineSpeeds(folder ?? cacheFolder(), threads);
    await speeds.read();
    return speeds;
  }

  /** Speeds that are kept nowhere. */
  static none(threads?: number): MachineSpeeds {
    return new MachineSpeeds(undefined, threads);
  }

  /** Reads the file again, which other processes write too. */
  async read(): Promise<void> {
    if (this.folder === undefined) return;
    this.take(await readKept(join(await this.folder, NAME)));
  }

  private take(kept: Kept): void {
    this.kept = kept;
    const { speeds } = kept;
    this.seen = Array.isArray(speeds) ? speeds.filter(isSpeed) : [];
  }

  /** How long all of this takes together. @param provider what computes; anything if unknown */
  time(work: readonly Work[], provider?: string): Time {
    const each = work.map((one) => this.timeOf(one, provider));
    const seconds = each.reduce((sum, one) => sum + one.seconds, 0);
    // What takes next to none of the time decides nothing.
    const guessed = each.reduce((sum, one) => sum + (one.measured ? 0 : one.seconds), 0);
    return { seconds, measured: guessed <= seconds / 2 };
  }

  /** The time of work of one kind. */
  timeOf(work: Work, provider?: string): Time {
    if (work.kind === 'seconds') return { seconds: work.seconds, measured: true };
    const guess = firstGuess(work, this.rates(provider), this.threads);
    if (work.kind !== 'products') {
      const rate = this.value(keyOf(work.kind, provider));
      const measured = isPositive(rate);
      return { seconds: work.bytes / (measured ? rate : guess), measured };
    }
    const found = this.speedOf(work, provider);
    return { seconds: work.flops / (found ?? guess), measured: found !== undefined };
  }

  /** By the most similar work that has run here; undefined where all of it is of much smaller models. */
  private speedOf({ work, size }: Products, provider: string | undefined): number | undefined {
    const reads = effortOf(work) === 'reading';
    const alike = [...this.learned.speeds, ...this.seen].filter(
      (speed) =>
        (effortOf(speed.work) === 'reading') === reads &&
        (provider ?? speed.provider) === speed.provider &&
        size / speed.size <= LARGER,
    );
    // The same kind of work counts more than a similar size. The newest comes first among equals.
    const distance = (speed: Speed): number => Math.abs(Math.log2(speed.size / size)) + unlike(speed.work, work);
    const [nearest] = alike.sort((a, b) => distance(a) - distance(b));
    if (nearest === undefined) return undefined;
    const growth = reads ? 1 : filled(size) / filled(nearest.size);
    return speedLike(work, nearest.work, nearest.flops) * growth;
  }

  /** What was measured of the device at first; undefined where nothing was. */
  rates(provider = 'cpu'): Rates | undefined {
    const first = this.value('first');
    return isObject(first) ? ratesIn(first[provider]) : undefined;
  }

  /** Keeps a first measurement. */
  setRates(provider: string, rates: Rates): void {
    const first = this.value('first');
    this.learned.rates.first = { ...(isObject(first) ? first : {}), [provider]: rates };
  }

  /** Takes what was kept elsewhere, where the file has nothing newer. */
  adopt({ speeds, ...rates }: Kept): void {
    if (Array.isArray(speeds)) this.learned.speeds.push(...speeds.filter(isSpeed));
    for (const kind of STREAMS) {
      if (isPositive(rates[kind]) && !isPositive(this.value(kind))) this.learned.rates[kind] = rates[kind];
    }
  }

  private value(key: string): unknown {
    return this.learned.rates[key] ?? this.kept[key];
  }

  /**
   * Learns that the work took these seconds. Too little work tells nothing: most of its time is what is between. A job on a toy
   * would make a machine that takes days for a model.
   * @param measured seconds that were measured as a whole; the work took a part of them
   */
  learn(work: Work, seconds: number, provider: string, measured = seconds): void {
    if (work.kind === 'seconds' || !(seconds > 0) || !(measured >= LEAST_SECONDS)) return;
    if (!isEnough(work, this.rates(provider), this.threads)) return;
    if (work.kind === 'products') {
      const speed = { provider, work: work.work, size: work.size, flops: work.flops / seconds };
      if (isSpeed(speed)) this.learned.speeds.unshift(speed);
    } else this.learned.rates[keyOf(work.kind, provider)] = work.bytes / seconds;
  }

  /** Adds what was learned to the file. A folder that cannot be written to is no failure: the next run guesses again. */
  async save(): Promise<void> {
    const { speeds, rates } = this.learned;
    if (this.folder === undefined || (speeds.length === 0 && Object.keys(rates).length === 0)) return;
    this.learned = { speeds: [], rates: {} };
    const file = join(await this.folder, NAME);
    const there = await readKept(file);
    const before = Array.isArray(there.speeds) ? there.speeds.filter(isSpeed) : [];
    this.take({ ...there, ...rates, speeds: [...speeds, ...before].slice(0, MAX_SPEEDS) });
    try {
      await mkdir(dirname(file), { recursive: true });
      await writeWhole(file, `${JSON.stringify(this.kept)}\n`);
    } catch (error) {
      if (!(error instanceof UserError) && !(error instanceof Error && 'code' in error)) throw error;
    }
  }
}

type Products = Extract<Work, { readonly kind: 'products' }>;

/** The CPU opens, writes and compares files and moves weights, whatever computes. */
const keyOf = (kind: Stream, provider = 'cpu'): string =>
  kind === 'decode' && provider !== 'cpu' ? `${kind} ${provider}` : kind;

/** Fractions of a second tell nothing, and neither does work that should take less. */
const LEAST_SECONDS = 0.2;
/** Weights of less than this stay in a cache, and small files in the system's. */
const LEAST_BYTES: Readonly<Record<Stream, number>> = {
  decode: 80e6,
  files: 20e6,
  opened: 200e6,
  compared: 20e6,
  moved: 200e6,
};

function isEnough(work: Exclude<Work, { kind: 'seconds' }>, rates: Rates | undefined, threads: number): boolean {
  if (work.kind === 'products') return work.flops / firstGuess(work, rates, threads) >= LEAST_SECONDS;
  return (work.kind === 'decode' ? work.perToken : work.bytes) >= LEAST_BYTES[work.kind];
}

/** A model whose blocks are so many times as large is another thing: a smaller one tells nothing of it. */
const LARGER = 8;

/** In doublings of the model's size. */
const DIFFERENT_WORK = 2;
/** Of two sweeps over the model without a block: they run the same products, and open the model as seldom. */
const OTHER_SWEEP = 0.5;

function unlike(seen: EstimatedWork, wanted: EstimatedWork): number {
  if (seen === wanted) return 0;
  return isSweep(seen) && isSweep(wanted) ? OTHER_SWEEP : DIFFERENT_WORK;
}

const isSweep = (work: EstimatedWork): boolean => CRITERION_LIST.some(({ name, screens }) => name === work && screens);

const isPositive = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value > 0;

function isSpeed(value: unknown): value is Speed {
  if (!isObject(value)) return false;
  const { provider, work, size, flops } = value;
  return typeof provider === 'string' && typeof work === 'string' && isPositive(size) && isPositive(flops);
}

async function readKept(file: string): Promise<Kept> {
  try {
    const value: unknown = JSON.parse((await readSmallFile(file, MAX_BYTES)).toString('utf8'));
    return isObject(value) ? value : {};
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof SyntaxError)) throw error;
    return {};
  }
}
