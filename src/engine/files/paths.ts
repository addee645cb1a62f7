/** Relations between paths. */
import { isAbsolute, relative, sep } from 'node:path';

/** Whether `path` is `folder` or is inside it; both absolute and resolved. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}
