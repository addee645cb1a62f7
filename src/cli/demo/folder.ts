/** The folder for the results of a demo. */
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { systemErrorCode, UserError } from '../../engine/errors';

const DEFAULT_FOLDER = 'coppice-demo';

/**
 * Creates the folder of `--out`, or the first unused name of coppice-demo, coppice-demo-2, …
 * @throws UserError when the folder of `--out` exists
 */
export async function makeFolder(out: string | undefined): Promise<string> {
  for (let n = 1; ; n++) {
    const folder = resolve(out ?? (n === 1 ? DEFAULT_FOLDER : `${DEFAULT_FOLDER}-${n}`));
    try {
      await mkdir(folder);
      return folder;
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
      if (out === undefined) continue;
      throw new UserError(
        `${folder} exists already`,
        'Coppice never overwrites',
        'Choose another --out, or remove it first.',
      );
    }
  }
}
