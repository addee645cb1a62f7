/** Models in several GGUF files: NAME-00001-of-00003.gguf and so on, which lie in one folder. */
import { basename, dirname, join } from 'node:path';
import { isThere } from '../../files/existing';
import { UserError } from '../../errors';
import { MAX_SHARDS } from '../../formats/limits';

const PART = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

/**
 * The paths of all files of the model that the file `path` belongs to, in order; itself if it is the only one.
 * @throws UserError when one of them is missing
 */
export async function partsOf(path: string): Promise<string[]> {
  const match = PART.exec(basename(path));
  if (!match) return [path];
  const [, prefix, , of] = match;
  const count = Number(of);
  if (count < 2 || count > MAX_SHARDS) return [path];
  const paths = Array.from({ length: count }, (_, i) => {
    return join(dirname(path), `${prefix}-${String(i + 1).padStart(5, '0')}-of-${of}.gguf`);
  });
  for (const part of paths) {
    if (await isThere(part)) continue;
    throw new UserError(
      `A file of the model is missing: ${basename(part)}`,
      `${basename(path)} is one of ${count}`,
      'Download all of them into one folder.',
    );
  }
  return paths;
}
