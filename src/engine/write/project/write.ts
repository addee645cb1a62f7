/** Writes the example into a project: its folder appears complete, or not at all. */
import { constants, copyFile, mkdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { tryLink } from '../../files/link';
import { OutputFile } from '../../files/output-file';
import { claimTarget } from '../../files/target';
import { writeFailure } from '../../files/write-failure';
import type { ModelFile } from './model';
import type { ProjectPlan } from './plan';

/** Nothing in the project but the new folder is touched. @throws UserError if the folder exists or cannot be written */
export async function writeExample({ folder, files, copied, model }: ProjectPlan): Promise<void> {
  const target = await claimTarget(folder, [model.loadable.path], 0);
  try {
    const names = [...files, ...copied].map(({ name }) => dirname(name));
    for (const name of new Set(names)) await mkdir(join(target.temporary, name), { recursive: true });
    for (const { name, text } of files) {
      await OutputFile.fill(join(target.temporary, name), (file) => file.handle.writeFile(text));
    }
    for (const each of copied) await copyModel(each, target.temporary);
    await target.commit();
  } catch (error) {
    await target.discard();
    throw writeFailure(error, folder);
  }
}

/** Linked where the disk can, else copied. */
async function copyModel({ file, name }: ModelFile, folder: string): Promise<void> {
  const from = await realpath(file);
  const to = join(folder, name);
  if (!(await tryLink(from, to))) await copyFile(from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
}
