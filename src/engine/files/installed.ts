/** Files that are installed with the program: models, recipes and programs beside its code. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Finds a file or folder by its path below the installation's root. The program is one bundled file or many source files, at
 * different depths below it.
 * @returns undefined where it is missing
 */
export function installed(...path: readonly string[]): string | undefined {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const found = join(folder, ...path);
    if (existsSync(found)) return found;
    if (folder === dirname(folder)) return undefined;
  }
}
