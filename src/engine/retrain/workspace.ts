/**
 * The folder `<out>.training` beside the output, in which a run keeps its state while it is under way. It goes when the
 * output is complete; while it is there, the run can be resumed.
 */
import { mkdir, readdir, rm, rmdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { UserError } from '../errors';
import type { Checkpoint } from '../checkpoint/types';
import { checkTarget } from '../prune/target';
import { foldersOf } from '../prune/write-checkpoint';
import { writeFailure } from '../prune/write-failure';

/** What a run may leave there, with the temporary names of a killed process. */
const OURS = /^(state\.safetensors|self-data\.json)(\.(\d+\.)?tmp)?$/;

const folderOf = (out: string): string => `${resolve(out)}.training`;

/** Where a run to `out` keeps its state. */
export const stateFileOf = (out: string): string => join(folderOf(out), 'state.safetensors');

export class Workspace {
  private constructor(
    readonly folder: string,
    /** Parameters, moments and log. */
    readonly state: string,
    /** A run was under way here before. */
    readonly found: boolean,
  ) {}

  /**
   * Checks that `out` can be written, before hours are spent, and makes the folder beside it.
   * @throws UserError when the output cannot be written, or a run is under way that `resume` does not ask for
   */
  static async open(out: string, source: Checkpoint, resume: boolean): Promise<Workspace> {
    await checkTarget(out, foldersOf(source));
    const folder = folderOf(out);
    try {
      await mkdir(folder, { recursive: true });
      const found = (await readdir(folder)).some((name) => OURS.test(name));
      if (!found || resume) return new Workspace(folder, stateFileOf(out), found);
    } catch (error) {
      throw writeFailure(error, folder);
    }
    throw new UserError(
      `${resolve(out)} is being trained already`,
      `${folder} holds the state of a run that was stopped`,
      'Add --resume to go on with it, or remove that folder.',
    );
  }

  get selfData(): string {
    return join(this.folder, 'self-data.json');
  }

  /** Removes what the run kept. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.folder)) {
      if (OURS.test(name)) await rm(join(this.folder, name), { force: true });
    }
    await this.leave();
  }

  /** Removes the folder if nothing is in it; what others put there stays. */
  async leave(): Promise<void> {
    await rmdir(this.folder).catch(() => undefined);
  }
}
