/**
 * How far a part is, in a file that others can read: on a cluster, a shared folder is all that a part and its user have in
 * common. It is written again every few seconds, so that its age tells whether the part is alive. A part that ends well
 * removes it; one that fails leaves it with the reason.
 *
 * The part is what counts: once it runs, nothing that happens to this file delays or ends it.
 */
import { lstat, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { CancelledError, messageOf, UserError } from '../../engine/errors';
import { shownText } from '../../engine/option-token';
import { readTextFile } from '../../engine/files/text-file';
import { writeWhole } from '../../engine/files/whole-file';
import { systemFailure } from '../../engine/system-failure';
import type { Part } from '../../engine/parts/part';
import type { JobOptions, Progress } from '../../engine/progress';
import { isObject, stringifyJson } from '../../format/json';
import type { CutKind } from './part-record';

/** The file for a part with this record. */
export const progressFileOf = (record: string): string => `${record}.progress`;

/** Contents of the file. */
export interface PartProgress {
  readonly schema: 1;
  readonly part: Part & { readonly job: CutKind };
  readonly state: 'running' | 'failed' | 'cancelled';
  readonly progress?: Pick<Progress, 'label' | 'done' | 'total' | 'unit'>;
  /** The machine and process that run it. */
  readonly host: string;
  readonly pid: number;
  /** Counts the writings, so that a reader sees it live whatever the clocks say. */
  readonly beat: number;
  /** Of a part that failed. */
  readonly error?: { readonly what: string; readonly why: string; readonly action: string };
}

const BEAT_MS = 5000;
/** Longer than a healthy disk needs, and short beside a part. */
const PATIENCE_MS = 10_000;

export class PartProgressFile {
  private beat = 0;
  private progress: PartProgress['progress'];
  /** Undefined while nothing is written. */
  private writing: Promise<void> | undefined;
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly file: string,
    private readonly part: PartProgress['part'],
    beatMs: number,
  ) {
    this.timer = setInterval(() => {
      // A disk that does not answer would get one writing more with every beat.
      if (!this.writing) void this.write('running').catch(() => undefined);
    }, beatMs);
    this.timer.unref();
  }

  /**
   * @throws UserError when the file cannot be written, for then the record could not be either; or if a file of this name
   *   is something else
   */
  static async begin(file: string, part: PartProgress['part'], beatMs = BEAT_MS): Promise<PartProgressFile> {
    await requireOwn(file);
    const made = new PartProgressFile(file, part, beatMs);
    try {
      await made.write('running');
    } catch (error) {
      clearInterval(made.timer);
      throw error;
    }
    return made;
  }

  /** The job, whose progress is kept for the next writing too. */
  around({ signal, onProgress }: JobOptions): JobOptions {
    return {
      signal,
      onProgress: (progress) => {
        const { label, done, total, unit } = progress;
        this.progress = { label, done, total, unit };
        onProgress?.(progress);
      },
    };
  }

  /** The part has its record. */
  async end(): Promise<void> {
    await this.stop();
    await inTime(rm(this.file, { force: true }));
  }

  /**
   * Leaves the reason. The part's own error is what counts, so that none of this file is thrown.
   * @param isCancelled whether the user ended it
   */
  async fail(thrown: unknown, isCancelled = false): Promise<void> {
    await this.stop();
    const error = systemFailure(thrown) ?? thrown;
    if (isCancelled || error instanceof CancelledError) return inTime(this.write('cancelled'));
    const texts =
      error instanceof UserError ? error.texts : { what: 'Unexpected failure', why: messageOf(error), action: '' };
    const { what, why, action } = texts;
    await inTime(this.write('failed', { what: shownText(what), why: shownText(why), action: shownText(action) }));
  }

  /** An older state must not replace a newer one. */
  private async stop(): Promise<void> {
    clearInterval(this.timer);
    if (this.writing) await inTime(this.writing);
  }

  private write(state: PartProgress['state'], error?: PartProgress['error']): Promise<void> {
    const content: PartProgress = {
      schema: 1,
      part: this.part,
      state,
      ...(this.progress && { progress: this.progress }),
      host: hostname(),
      pid: process.pid,
      beat: ++this.beat,
      ...(error && { error }),
    };
    const writing = writeWhole(this.file, `${stringifyJson(content)}\n`).finally(() => {
      if (this.writing === writing) this.writing = undefined;
    });
    return (this.writing = writing);
  }
}

/** Waits, but not for ever: a disk that is gone must not keep a part that has ended. Failures of the disk are dropped. */
async function inTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((done) => {
    timer = setTimeout(done, PATIENCE_MS);
  });
  await Promise.race([work.catch(() => undefined), patience]);
  clearTimeout(timer);
}

const MAX_PROGRESS_BYTES = 2 ** 20;

/** Coppice overwrites nothing but what an earlier attempt at the part left. */
async function requireOwn(file: string): Promise<void> {
  const there = await lstat(file).catch(() => undefined); // what is wrong with its folder, writing tells
  if (!there) return;
  const isOwn = there.isFile() && (await isProgress(file));
  if (isOwn) return;
  throw new UserError(
    `${file} exists already`,
    'a part keeps its progress there, and this file is something else',
    'Name another file for the record, or move that one away.',
  );
}

async function isProgress(file: string): Promise<boolean> {
  try {
    const value: unknown = JSON.parse((await readTextFile(file, MAX_PROGRESS_BYTES, '')).text);
    return isObject(value) && isObject(value.part) && typeof value.state === 'string';
  } catch {
    return false;
  }
}
