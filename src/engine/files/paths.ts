/** Relations between paths. */
import { dirname, isAbsolute, relative, sep } from 'node:path';

/** Whether `path` is `folder` or is inside it; both absolute and resolved. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** Whether a name, which comes from a file, stays in the folder that it is in. */
export const isBelow = (name: string): boolean => !/^[/\\]|^[a-z]:|(^|[/\\])\.\.([/\\]|$)/i.test(name);

/**
 * The deepest folder that contains all `files` (absolute paths); undefined without files.
 * @throws Error for files on several drives, because they have no common folder
 */
export function commonFolder(files: Iterable<string>): string | undefined {
  const common = commonParts(files);
  if (common === undefined) return undefined;
  if (common.length === 0) throw new Error('the files are on several drives');
  return common.length === 1 ? `${common[0]}${sep}` : common.join(sep); // "/" and "C:\", not "" and "C:"
}

/** Whether one folder contains all `files` (absolute paths): they are on one drive. */
export const haveCommonFolder = (files: Iterable<string>): boolean => commonParts(files)?.length !== 0;

/** The parts of the deepest common folder; none for files on several drives. */
function commonParts(files: Iterable<string>): string[] | undefined {
  const folders = [...new Set(Array.from(files, (file) => dirname(file)))].map((folder) => folder.split(sep));
  if (folders.length === 0) return undefined;
  return folders.reduce((a, b) => {
    const parted = a.findIndex((part, i) => part !== b[i]);
    return parted === -1 ? a : a.slice(0, parted);
  });
}
