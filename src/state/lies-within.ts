/** Where a folder really lies. Does not use VS Code. */
import { realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isInside } from '../engine/files/paths';

/** Whether a folder, which need not exist yet, lies in one of the others, links resolved. All are absolute. */
export const liesWithin = (folder: string, others: readonly string[]): boolean =>
  others.some((other) => isInside(realPlace(folder), realPlace(other)));

/** The path with links resolved, as far as it exists. */
function realPlace(path: string): string {
  for (let existing = path; ; existing = dirname(existing)) {
    try {
      return join(realpathSync(existing), path.slice(existing.length));
    } catch {
      if (dirname(existing) === existing) return path;
    }
  }
}
