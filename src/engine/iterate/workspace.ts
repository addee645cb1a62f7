/**
 * The folder `<out>.iterate` beside the output, where an iterative pruning keeps its finished rounds: their numbers, the
 * weights after the last one, and the training that is going on. So a run that is killed at any moment goes on with the
 * same numbers. The folder is removed when the output is complete.
 */
import { foldersOf } from '../checkpoint/folders';
import { existsSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Checkpoint } from '../checkpoint/types';
import { UserError } from '../errors';
import { checkTarget } from '../files/target';
import { makeWorkingFolder } from '../files/working-folder';
import { writeFailure } from '../files/write-failure';
import { option, set } from '../option-token';
import { releaseLock, takeLock } from '../retrain/loop/lock';

const STATE = 'rounds.json';
const LOCK = 'lock';
/** Every file that a run may leave there, also unfinished ones. */
const OURS =
  /^\.?(rounds\.json|(weights|training)-[\w-]+\.safetensors|self-data\.json|lock)(-[\w-]+\.coppice-partial|(\.[\w.]*tmp)?)$/;

/** The folder beside `out` where a run keeps its rounds. */
export const iterateFolderOf = (out: string): string => `${resolve(out)}.iterate`;

/** Whether a run to `out` was stopped, and can be continued. */
export const wasStopped = (out: string): boolean => existsSync(join(iterateFolderOf(out), STATE));

export class IterateWorkspace {
  private constructor(
    readonly folder: string,
    /** Whether a run was stopped here before. */
    readonly found: boolean,
  ) {}

  /**
   * Checks that `out` can be written before hours are spent, makes the folder beside it, and locks it.
   * @throws UserError when the output cannot be written, another process works on it, or a stopped run exists and
   *   `resume` is not set
   */
  static async open(out: string, source: Checkpoint, resume: boolean): Promise<IterateWorkspace> {
    await checkTarget(out, foldersOf(source));
    const workspace = await IterateWorkspace.take(out);
    const { folder, found } = workspace;
    if (!found || resume) return workspace;
    await workspace.leave();
    throw new UserError(
      `${resolve(out)} is already being made`,
      `${folder} holds the rounds of a run that was stopped`,
      `${set('resume', true, 'add')} to continue it. To start again, remove that folder or name another ${option('out')}.`,
    );
  }

  /** Removes the rounds of a run that was stopped. @throws UserError when another process works on it */
  static async discard(out: string): Promise<void> {
    if (!existsSync(iterateFolderOf(out))) return;
    const workspace = await IterateWorkspace.take(out);
    try {
      await workspace.clear();
    } finally {
      await workspace.leave();
    }
  }

  /** Makes the folder and locks it. */
  private static async take(out: string): Promise<IterateWorkspace> {
    const folder = iterateFolderOf(out);
    let owner: number | undefined;
    try {
      await makeWorkingFolder(folder);
      owner = await takeLock(join(folder, LOCK));
    } catch (error) {
      throw writeFailure(error, folder);
    }
    if (owner === undefined) return new IterateWorkspace(folder, wasStopped(out));
    throw new UserError(
      `${resolve(out)} is already being made`,
      `process ${owner} is working on it`,
      `Wait until it ends, or name another ${option('out')}; if that process is not Coppice, remove ${join(folder, LOCK)}.`,
    );
  }

  get state(): string {
    return join(this.folder, STATE);
  }

  /** Text that the unpruned model writes for the training. */
  get selfData(): string {
    return join(this.folder, 'self-data.json');
  }

  /** The weights after a round, or of a one-shot removal. @param name "2", "one-shot-3" */
  weights(name: string): string {
    return join(this.folder, `weights-${name}.safetensors`);
  }

  /** The state of the training of a round, or of a one-shot removal. */
  training(name: string): string {
    return join(this.folder, `training-${name}.safetensors`);
  }

  /** Removes weights and states of trainings, except these files. */
  async tidy(except: readonly string[] = []): Promise<void> {
    const kept = new Set([this.state, this.selfData, join(this.folder, LOCK), ...except]);
    await this.remove((path) => !kept.has(path));
  }

  /** Removes the folder's files. */
  async clear(): Promise<void> {
    await this.remove((path) => path !== join(this.folder, LOCK));
  }

  /** Unlocks the folder, and removes it if it is empty. Other files in it stay. */
  async leave(): Promise<void> {
    await releaseLock(join(this.folder, LOCK));
    await rmdir(this.folder).catch(() => undefined);
  }

  private async remove(isGone: (path: string) => boolean): Promise<void> {
    for (const name of await readdir(this.folder)) {
      const path = join(this.folder, name);
      if (OURS.test(name) && isGone(path)) await rm(path, { force: true });
    }
  }
}
