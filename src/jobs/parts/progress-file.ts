/**
 * How far a part is, in a file that others can read: on a cluster, a shared folder is all that a part and its user have in
 * common. It is written again every few seconds, so that its age tells whether the part is alive. A part that ends well
 * removes it; one that fails leaves it with the reason.
 */
import { rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { CancelledError, messageOf, UserError } from '../../engine/errors';
import { shownText } from '../../engine/option-token';
import { writeWhole } from '../../engine/files/whole-file';
import type { Part } from '../../engine/parts/part';
import type { JobOptions, Progress } from '../../engine/progress';
import { stringifyJson } from '../../format/json';
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

export class PartProgressFile {
  private beat = 0;
  private progress: PartProgress['progress'];
  private writing: Promise<void> = Promise.resolve();
  private readonly timer: NodeJS.Timeout;

  private constructor(
    private readonly file: string,
    private readonly part: PartProgress['part'],
  ) {
    this.timer = setInterval(() => void this.write('running').catch(() => undefined), BEAT_MS);
    this.timer.unref();
  }

  /** @throws UserError when the file cannot be written: then the record could not be either */
  static async begin(file: string, part: PartProgress['part']): Promise<PartProgressFile> {
    const made = new PartProgressFile(file, part);
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
    await rm(this.file, { force: true }).catch(() => undefined);
  }

  /** Leaves the reason. The part's own error is what counts, so that none of this file is thrown. */
  async fail(error: unknown): Promise<void> {
    await this.stop();
    if (error instanceof CancelledError) return this.write('cancelled').catch(() => undefined);
    const texts =
      error instanceof UserError ? error.texts : { what: 'Unexpected failure', why: messageOf(error), action: '' };
    const { what, why, action } = texts;
    const shown = { what: shownText(what), why: shownText(why), action: shownText(action) };
    await this.write('failed', shown).catch(() => undefined);
  }

  private async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.writing.catch(() => undefined);
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
    // One after another: an older state must not replace a newer one.
    this.writing = this.writing.catch(() => undefined).then(() => writeWhole(this.file, `${stringifyJson(content)}\n`));
    return this.writing;
  }
}
