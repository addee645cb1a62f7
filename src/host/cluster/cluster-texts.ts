/** Texts that come with the extension, where the machines of a cluster find them. Does not use VS Code. */
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isInside } from '../../engine/files/paths';
import { readTextFile } from '../../engine/files/text-file';
import { writeWhole } from '../../engine/files/whole-file';
import type { AnyJob } from '../../jobs/define';
import { changePaths } from '../../jobs/option-paths';

const MAX_TEXT_BYTES = 16 * 2 ** 20;

/**
 * The options with texts of the extension copied into the shared folder, under names of their contents.
 * @throws UserError when one cannot be read or written
 */
export async function sharedTexts(job: AnyJob, options: object, own: string, shared: string): Promise<object> {
  const copies = new Map<string, string>();
  for (const [name, value] of Object.entries(options)) {
    changePaths(job.options[name].kind, value, (path, of) => {
      if (of === 'file' && isInside(path, own)) copies.set(path, '');
    });
  }
  for (const path of copies.keys()) copies.set(path, await copyOf(path, shared));
  return Object.fromEntries(
    Object.entries(options).map(([name, value]: [string, unknown]) => [
      name,
      changePaths(job.options[name].kind, value, (path) => copies.get(path) ?? path),
    ]),
  );
}

async function copyOf(path: string, shared: string): Promise<string> {
  const { text, sha256 } = await readTextFile(path, MAX_TEXT_BYTES, '');
  const folder = join(shared, 'texts', sha256.slice(0, 12));
  await mkdir(folder, { recursive: true });
  const copy = join(folder, basename(path));
  await writeWhole(copy, text);
  return copy;
}
