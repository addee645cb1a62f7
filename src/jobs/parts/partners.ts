/**
 * The parts of a job that go on together, as one process sees them. A part that no process computes would keep all others waiting for
 * ever: where there are fewer processors than parts, or one is lost. So a process that waits looks at the progress files of those
 * it waits for, and computes itself what no process does. That two processes compute the same part does no harm: what is in the folder
 * first counts.
 */
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { systemErrorCode, UserError } from '../../engine/errors';
import { readTextFile } from '../../engine/files/text-file';
import { namesIn } from '../../engine/files/names';
import { option } from '../../engine/option-token';
import { type Part, partText } from '../../engine/parts/part';
import { Turns } from '../../engine/parts/turns';
import { isObject, type JsonObject, objectIn } from '../../format/json';
import { partFile, partProgressFile, partsFolder } from './places';

/** A part writes its progress every five seconds. Network disks show others what is written up to a minute later. */
const SILENT_MS = 120_000;
/** So long a part may be missing before another process does it: its own may be about to start. */
const PATIENCE_MS = 30_000;
/** Times that patience: a part that has its record has left all that others need, so they do not wait for it for long. */
const LEFT_PATIENCE = 4;
const MOST_BYTES = 2 ** 20;

export type Life = 'done' | 'alive' | 'lost' | 'failed';

interface Seen {
  readonly text: string | undefined;
  readonly since: number;
}

export class Partners {
  readonly turns = new Turns();
  private readonly seen = new Map<number, Seen>();
  /** What was there at the start: a failure in it is of an earlier attempt. */
  private readonly before = new Map<number, string>();
  private readonly own = new Set<number>();
  /** Since when a part with a record is waited for. */
  private readonly leaving = new Map<number, number>();
  private readonly others: Promise<void>[] = [];
  private failure: { readonly error: unknown } | undefined;

  private constructor(
    readonly folder: string,
    private readonly count: number,
    /** Begins a part in this process. */
    private readonly begin: (number: number) => Promise<unknown>,
    private readonly patience: number,
  ) {}

  static async open(
    folder: string,
    count: number,
    begin: (number: number) => Promise<unknown>,
    patience = PATIENCE_MS,
  ): Promise<Partners> {
    const partners = new Partners(folder, count, begin, patience);
    for (let number = 1; number <= count; number++) {
      const text = await textOf(partProgressFile(folder, number));
      if (text !== undefined) partners.before.set(number, text);
    }
    return partners;
  }

  /** Marks a part as one of this process. */
  take(number: number): void {
    this.own.add(number);
  }

  /**
   * Looks at parts that part `number` waits for, and begins one of them here if no process computes it and this process is idle.
   * @throws UserError when one has failed; the error of a part of this process
   */
  async look(number: number, waited: readonly number[]): Promise<void> {
    if (this.failure) throw this.failure.error;
    const lost: number[] = [];
    for (const part of waited) {
      if (this.own.has(part)) continue;
      const life = await this.lifeOf(part);
      if (life === 'failed') throw await this.failed(part);
      if (life === 'lost') lost.push(part);
      if (life === 'done') this.requireLeft(part);
    }
    if (lost.length === 0 || this.turns.isTaken) return;
    // Processes that wait for the same parts begin different ones.
    const part = lost[number % lost.length];
    this.take(part);
    this.others.push(
      this.begin(part).then(
        () => undefined,
        (error: unknown) => {
          this.failure ??= { error };
        },
      ),
    );
  }

  /** @throws UserError when what the part left is not there, although it has its record */
  private requireLeft(number: number): void {
    const since = this.leaving.get(number);
    const now = performance.now();
    if (since === undefined) this.leaving.set(number, now);
    else if (now - since >= LEFT_PATIENCE * this.patience) {
      throw new UserError(
        `What part ${this.text(number)} left for the others is gone`,
        `its record is there, and its sums in ${this.folder} are not`,
        'Remove the records of all parts, and start them again.',
      );
    }
  }

  /** Waits for the parts that were begun here. @throws the error of one of them */
  async end(): Promise<void> {
    while (this.others.length > 0) await this.others.shift();
    if (this.failure) throw this.failure.error;
  }

  /** How a part is that another process may compute. */
  async lifeOf(number: number): Promise<Life> {
    if (await this.isDone(number)) return 'done';
    const text = await textOf(partProgressFile(this.folder, number));
    const now = performance.now();
    const last = this.seen.get(number);
    if (!last || last.text !== text) this.seen.set(number, { text, since: now });
    const silent = now - (this.seen.get(number)?.since ?? now);
    const progress = text === undefined || text === this.before.get(number) ? undefined : objectIn(text);
    if (progress?.state === 'failed') return 'failed';
    if (progress?.state === 'cancelled') return 'lost';
    if (text === undefined || objectIn(text)?.state !== 'running') return silent >= this.patience ? 'lost' : 'alive';
    return silent >= SILENT_MS || isGone(objectIn(text)) ? 'lost' : 'alive';
  }

  /** Whether another process computes the part now, as far as its progress file tells. */
  async isRunning(number: number): Promise<boolean> {
    const text = await textOf(partProgressFile(this.folder, number));
    return text !== undefined && objectIn(text)?.state === 'running' && (await this.lifeOf(number)) === 'alive';
  }

  /** Whether the part has its record. */
  async isDone(number: number): Promise<boolean> {
    return (await namesIn(partsFolder(this.folder))).includes(basename(partFile(this.folder, number)));
  }

  private text(number: number): string {
    return partText({ number, of: this.count } satisfies Part);
  }

  private async failed(number: number): Promise<UserError> {
    const found = objectIn((await textOf(partProgressFile(this.folder, number))) ?? '')?.error;
    const [what, why] = isObject(found) ? [String(found.what), String(found.why)] : ['it failed', ''];
    return new UserError(
      `Part ${this.text(number)} has failed, and this one cannot go on without it`,
      why === '' ? what : `${what}: ${why}`,
      `Mend that, and start the parts again (${option('part')}): they go on from where they were.`,
    );
  }
}

/** Whether the process of a part was on this machine and is no more. */
function isGone(progress: JsonObject | undefined): boolean {
  if (progress?.host !== hostname() || typeof progress.pid !== 'number') return false;
  try {
    process.kill(progress.pid, 0);
    return false;
  } catch (error) {
    return systemErrorCode(error) === 'ESRCH';
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return (await readTextFile(file, MOST_BYTES, '')).text;
  } catch {
    return undefined; // it is not there, or on its way
  }
}
