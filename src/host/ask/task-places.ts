/** Where files of known task sets lie in the workspace: by their own names, or as the archives of the data sets have them. Pure. */
import { basename, dirname, sep } from 'node:path';
import { TASK_NAMES, TASKS } from '../../engine/evaluate/tasks/catalogue';

const ENTRIES = TASK_NAMES.map((name) => TASKS[name]);

/** A pattern of files that may have questions. */
export function taskGlob(): string {
  const plain = (file: string): string => file.replace(/\.\w+$/, '');
  const names = ENTRIES.flatMap(({ files }) => files.map(plain));
  const inFolders = ENTRIES.flatMap(({ folders, inFolder }) =>
    folders.flatMap((folder) => inFolder.map((file) => `${folder}/${plain(file)}`)),
  );
  return `**/{${[...names, ...inFolders].join(',')}}.{jsonl,json,ndjson,txt}`;
}

/** The folder that has the folders of an archive, where the file lies in one; sets beside each other are then one. */
export function dataFolder(file: string): string {
  const slashed = dirname(file).replaceAll(sep, '/').toLowerCase();
  const own = ENTRIES.flatMap(({ folders }) => folders).filter((folder) =>
    slashed.endsWith(`/${folder.toLowerCase()}`),
  );
  const depth = Math.max(0, ...own.map((folder) => folder.split('/').length));
  let found = dirname(file);
  // A folder at the top of the disk stays.
  for (let up = 0; up < depth && basename(dirname(found)) !== ''; up++) found = dirname(found);
  return found;
}
