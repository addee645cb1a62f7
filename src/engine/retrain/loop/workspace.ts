/**
 * The folder `<out>.training` beside the output, where a run keeps its state. It is removed when the output is
 * complete. As long as it exists, the run can be resumed.
 */
import { HEALED_BELOW } from '../../adapter/healed-below';
import { foldersOf } from '../../checkpoint/folders';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../../errors';
import { option, set } from '../../option-token';
import type { Checkpoint } from '../../checkpoint/types';
import { checkTarget } from '../../files/target';
import { makeWorkingFolder } from '../../files/working-folder';
import { writeFailure } from '../../files/write-failure';
import { lockOwner, releaseLock, takeLock } from './lock';

/** The state file, and the temporary names that a killed process leaves. */
const STATE = /^state\.safetensors(\.\d+\.tmp)?$/;
/** All files that a run may leave there. */
const OURS = /^(state\.safetensors|self-data\.json|teacher\.states|healed\.patch\.safetensors|lock)(\.[\w.]*tmp)?$/;

/** The folder beside `out` where a run keeps its state. */
export const folderOf = (out: string): string => `${resolve(out)}.training`;

/** The state file of a run to `out`. */
export const stateFileOf = (out: string): string => join(folderOf(out), 'state.safetensors');
/** Healed weights that were made for the run. */
const healedFileOf = (out: string): string => join(folderOf(out), HEALED_BELOW);
/** The file of what the teacher said about the rows of the run. */
const taughtFileOf = (out: string): string => join(folderOf(out), 'teacher.states');
/** The file of the text that the model generated for the run. */
export const selfDataFileOf = (out: string): string => join(folderOf(out), 'self-data.json');

export class Workspace {
  readonly folder: string;
  /** Parameters, moments and log. */
  readonly state: string;
  /** Text that the model generated. Every run with the same settings for it can use it. */
  readonly selfData: string;
  /** What the teacher said about each row. Every run with the same teacher can use it. */
  readonly taught: string;
  /** Healed weights, if the run heals first. */
  readonly healed: string;

  private constructor(
    out: string,
    /** Whether a run was stopped here before. */
    readonly found: boolean,
  ) {
    this.folder = folderOf(out);
    this.state = stateFileOf(out);
    this.selfData = selfDataFileOf(out);
    this.taught = taughtFileOf(out);
    this.healed = healedFileOf(out);
  }

  /**
   * Checks that `out` can be written before hours are spent, makes the folder beside it, and locks it.
   * @throws UserError when the output cannot be written, another process trains into it, or a stopped run exists and
   *   `resume` is not set
   */
  static async open(out: string, source: Checkpoint, resume: boolean): Promise<Workspace> {
    await checkTarget(out, foldersOf(source));
    const folder = folderOf(out);
    const found = await Workspace.take(out);
    const workspace = new Workspace(out, found);
    if (!found || resume) return workspace;
    await workspace.leave();
    throw new UserError(
      `${resolve(out)} is already being trained`,
      `${folder} holds the state of a run that was stopped`,
      `${set('resume', true, 'add')} to continue it. To start again, remove that folder or name another ${option('out')}.`,
    );
  }

  /**
   * The folder of a stopped run.
   * @throws UserError when another process is still training
   */
  static async reopen(out: string): Promise<Workspace> {
    return new Workspace(out, await Workspace.take(out));
  }

  /** Makes the folder and locks it. @returns whether a run was stopped there */
  private static async take(out: string): Promise<boolean> {
    const folder = folderOf(out);
    let owner: number | undefined;
    let found: boolean;
    try {
      await makeWorkingFolder(folder);
      owner = await takeLock(lockOf(folder));
      found = (await readdir(folder)).some((name) => STATE.test(name));
    } catch (error) {
      throw writeFailure(error, folder);
    }
    if (owner === undefined) return found;
    throw new UserError(
      `${resolve(out)} is already being trained`,
      `process ${owner} is training it`,
      `Wait until it ends, or name another ${option('out')}; if that process is not Coppice, remove ${lockOf(folder)}.`,
    );
  }

  /** Removes the folder with its content. */
  async clear(): Promise<void> {
    await this.remove(OURS);
  }

  /** Removes only the state. The next run starts from the beginning, with the text that was generated for this one. */
  async forget(): Promise<void> {
    await this.remove(STATE);
  }

  /** Unlocks the folder, and removes it if it is empty. Other files in it stay. */
  async leave(): Promise<void> {
    await releaseLock(lockOf(this.folder));
    await rmdir(this.folder).catch(() => undefined);
  }

  private async remove(names: RegExp): Promise<void> {
    for (const name of await readdir(this.folder)) {
      if (names.test(name) && name !== LOCK) await rm(join(this.folder, name), { force: true });
    }
  }
}

const LOCK = 'lock';
const lockOf = (folder: string): string => join(folder, LOCK);

/** The process that trains into `out`; undefined when none does. */
export const ownerOf = (out: string): Promise<number | undefined> => lockOwner(lockOf(folderOf(out)));
