/**
 * The folder `<out>.training` beside the output, in which a run keeps its state while it is under way. It goes when the
 * output is complete; while it is there, the run can be resumed.
 */
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../../errors';
import { option, set } from '../../option-token';
import type { Checkpoint } from '../../checkpoint/types';
import { checkTarget } from '../../files/target';
import { foldersOf } from '../../write/write-checkpoint';
import { writeFailure } from '../../files/write-failure';
import { lockOwner, releaseLock, takeLock } from './lock';

/** The state, with the temporary names of a killed process. */
const STATE = /^state\.safetensors(\.\d+\.tmp)?$/;
/** All that a run may leave there. */
const OURS = /^(state\.safetensors|self-data\.json|lock)(\.[\w.]*tmp)?$/;

/** The folder beside `out` that a run to it keeps its state in. */
export const folderOf = (out: string): string => `${resolve(out)}.training`;

/** Where a run to `out` keeps its state. */
export const stateFileOf = (out: string): string => join(folderOf(out), 'state.safetensors');
/** Where it keeps the text that the model wrote for it. */
export const selfDataFileOf = (out: string): string => join(folderOf(out), 'self-data.json');

export class Workspace {
  private constructor(
    readonly folder: string,
    /** Parameters, moments and log. */
    readonly state: string,
    /** Text that the model wrote; it is of use to every run that asks for the same. */
    readonly selfData: string,
    /** A run was under way here before. */
    readonly found: boolean,
  ) {}

  /**
   * Checks that `out` can be written, before hours are spent, makes the folder beside it, and keeps other processes off.
   * @throws UserError when the output cannot be written, another process trains it, or a run is under way that `resume`
   *   does not ask for
   */
  static async open(out: string, source: Checkpoint, resume: boolean): Promise<Workspace> {
    await checkTarget(out, foldersOf(source));
    const folder = folderOf(out);
    const found = await Workspace.take(out);
    const workspace = new Workspace(folder, stateFileOf(out), selfDataFileOf(out), found);
    if (!found || resume) return workspace;
    await workspace.leave();
    throw new UserError(
      `${resolve(out)} is being trained already`,
      `${folder} holds the state of a run that was stopped`,
      `${set('resume', true, 'add')} to go on with it; or remove that folder, or name another ${option('out')}, to start over.`,
    );
  }

  /**
   * The folder of a run that was stopped, and nothing of its source.
   * @throws UserError when another process still trains
   */
  static async reopen(out: string): Promise<Workspace> {
    return new Workspace(folderOf(out), stateFileOf(out), selfDataFileOf(out), await Workspace.take(out));
  }

  /** Makes the folder and keeps other processes off it. @returns whether a run was under way there */
  private static async take(out: string): Promise<boolean> {
    const folder = folderOf(out);
    let owner: number | undefined;
    let found: boolean;
    try {
      await mkdir(folder, { recursive: true });
      owner = await takeLock(lockOf(folder));
      found = (await readdir(folder)).some((name) => STATE.test(name));
    } catch (error) {
      throw writeFailure(error, folder);
    }
    if (owner === undefined) return found;
    throw new UserError(
      `${resolve(out)} is being trained already`,
      `the process ${owner} is at it`,
      `Wait for its end, or name another ${option('out')}; if that process is not Coppice, remove ${lockOf(folder)}.`,
    );
  }

  /** Removes what the run kept. */
  async clear(): Promise<void> {
    await this.remove(OURS);
  }

  /** Removes the state alone: the next run starts anew, with the text that was written for this one. */
  async forget(): Promise<void> {
    await this.remove(STATE);
  }

  /** Lets others in, and removes the folder if nothing is in it; what others put there stays. */
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
