/**
 * Tickets of the jobs that run or wait on this machine: files with rising numbers in one folder. A ticket whose process has ended
 * is removed by the next one that looks.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemErrorCode, UserError } from '../engine/errors';
import { cacheFolder } from '../engine/files/cache';
import { isRunning, ownMark, type ProcessMark } from '../engine/files/process-birth';
import { readTextFile } from '../engine/files/text-file';
import { passingFile } from '../engine/files/kept-files';
import { writeWhole } from '../engine/files/whole-file';
import { isObject, type JsonObject, objectIn } from '../format/json';

/** What a job takes of the machine. */
export interface Claim {
  /** Its name: "score". */
  readonly job: string;
  /** Of memory, at its peak; 0 where it is not known. */
  readonly bytes: number;
  /** Of the CPU, for a part of a job; 0 for a job that does not wait for threads. */
  readonly threads: number;
}

/** A job that came earlier. */
export interface Earlier extends Claim {
  /** It has begun. */
  readonly runs: boolean;
}

interface Held extends Earlier {
  readonly process: ProcessMark;
}

const NAME = /^[1-9]\d{0,14}$/;
const MOST_BYTES = 4096;
/** More than processes that start at the same moment. */
const ATTEMPTS = 1000;

/** The folder of this machine: the cache may lie on a disk that several machines see. */
export const ticketFolder = async (): Promise<string> =>
  join(await cacheFolder(), 'jobs', hostname().replaceAll(/[^\w.-]/g, '_') || 'machine');

/** A job in the order of all jobs of this machine. */
export class Ticket {
  private constructor(
    private readonly folder: string,
    private readonly number: number,
    private readonly claim: Claim,
    private readonly remove: () => Promise<void>,
  ) {}

  /** Takes the next number. @returns undefined where none can be had @throws errors of the file system */
  static async take(folder: string, claim: Claim): Promise<Ticket | undefined> {
    await mkdir(folder, { recursive: true });
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const number = Math.max(0, ...(await numbersIn(folder))) + 1;
      const path = join(folder, String(number));
      try {
        await writeFile(path, textOf(claim, false), { flag: 'wx' });
        return new Ticket(folder, number, claim, passingFile(path));
      } catch (error) {
        if (systemErrorCode(error) !== 'EEXIST') throw error; // another process was quicker
      }
    }
    return undefined;
  }

  /** The jobs before it that still run or wait, in their order. */
  async before(): Promise<Earlier[]> {
    const found: Earlier[] = [];
    const numbers = (await numbersIn(this.folder)).filter((number) => number < this.number);
    for (const number of numbers.sort((a, b) => a - b)) {
      const path = join(this.folder, String(number));
      const held = await readTicket(path);
      if (held === undefined) continue;
      if (isRunning(held.process)) found.push(held);
      else await rm(path, { force: true }).catch(() => undefined);
    }
    return found;
  }

  /** Says that the job begins. Where that cannot be written, it still has its place. */
  async begin(): Promise<void> {
    await writeWhole(join(this.folder, String(this.number)), textOf(this.claim, true)).catch(() => undefined);
  }

  /** Gives the place to others. */
  async end(): Promise<void> {
    await this.remove();
  }
}

const textOf = (claim: Claim, runs: boolean): string => JSON.stringify({ ...claim, runs, process: ownMark() });

/** None where the folder is gone: the user may clear the cache at any time. */
const numbersIn = async (folder: string): Promise<number[]> =>
  (await readdir(folder).catch(() => [])).filter((name) => NAME.test(name)).map(Number);

/** Undefined for a ticket that is gone, or is none. */
async function readTicket(path: string): Promise<Held | undefined> {
  try {
    const { text } = await readTextFile(path, MOST_BYTES, '');
    return heldIn(objectIn(text));
  } catch (error) {
    if (error instanceof UserError || systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}

const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0);

function heldIn(value: JsonObject | undefined): Held | undefined {
  if (!isObject(value?.process)) return undefined;
  const { pid, birth, at } = value.process;
  if (typeof pid !== 'number') return undefined;
  return {
    job: typeof value.job === 'string' ? value.job : '',
    bytes: count(value.bytes),
    threads: count(value.threads),
    runs: value.runs === true,
    process: { pid, ...(typeof birth === 'string' && { birth }), ...(typeof at === 'number' && { at }) },
  };
}
