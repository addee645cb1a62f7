/** Finds a task's file in the folder that the user names. Case does not matter. */
import { readdir } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { UserError } from '../../errors';
import { command, option } from '../../option-token';
import { systemReason } from '../../system-failure';
import { TASKS, type TaskName } from './catalogue';
import { RECORD_EXTENSIONS } from './records';

/** Where a task's questions are. */
export interface TaskFiles {
  readonly file: string;
  /** File of labels beside it. */
  readonly labels?: string;
}

/**
 * The task's file in `folder`, or in a folder of the task inside it.
 * @throws UserError when there is none; it says which names were looked for
 */
export async function findTask(name: TaskName, folder: string): Promise<TaskFiles> {
  const { title, files, folders, inFolder, labels } = TASKS[name];
  const isOwn = folders.some((each) => sameName(basename(each), basename(resolve(folder))));
  const places = [{ folder, own: isOwn }];
  for (const each of folders) {
    const inside = await insensitive(folder, each.split('/'));
    if (inside !== undefined) places.push({ folder: inside, own: true });
  }
  const strangers: string[] = [];
  for (const place of places) {
    const entries = await list(place.folder);
    const find = (names: readonly string[]): string | undefined => {
      const wanted = names.flatMap(withExtensions);
      return wanted.flatMap((each) => entries.filter((entry) => sameName(entry, each))).at(0);
    };
    const file = find(place.own ? [...files, ...inFolder] : files);
    if (file !== undefined) {
      const beside = labels && find(place.own ? [...labels.files, ...labels.inFolder] : labels.files);
      return { file: join(place.folder, file), labels: beside && join(place.folder, beside) };
    }
    strangers.push(...entries.filter((entry) => isStranger(entry, place.own ? [...files, ...inFolder] : files)));
  }
  const other = strangers.length === 0 ? '' : `; ${strangers[0]} ${whyNot(strangers[0])}`;
  const looked = [...files.flatMap(withExtensions).slice(0, 3), `${folders[0]}/${withExtensions(inFolder[0])[0]}`];
  throw new UserError(
    `${folder} has no file of ${title}`,
    `looked for ${looked.join(', ')} and similar names${other}`,
    `Get it with ${command('fetch-tasks', 'DIR')}, put it there, or leave ${name} out of ${option('tasks')}.`,
  );
}

/** "boolq_dev" as the names of files with records. */
const withExtensions = (name: string): string[] =>
  /\.(txt|lst)$/.test(name) ? [name] : RECORD_EXTENSIONS.map((extension) => name + extension);

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

const PACKED = ['.bz2', '.gz', '.zip', '.xz', '.zst'];
const TABLES = ['.parquet', '.arrow', '.csv', '.tsv'];

const whyNot = (entry: string): string =>
  PACKED.includes(extname(entry).toLowerCase())
    ? 'is packed, and must be unpacked'
    : 'is of a kind that Coppice does not read (JSON and JSON lines only)';

/** Whether a file is the task's, packed or in another format: "validation-00000-of-00001.parquet". */
function isStranger(entry: string, names: readonly string[]): boolean {
  const lower = entry.toLowerCase();
  return (
    [...PACKED, ...TABLES].includes(extname(lower)) &&
    names.some((name) => lower.startsWith(name.toLowerCase().replace(/\.txt$/, '')))
  );
}

/** The folder with these names inside `folder`, in whatever case; undefined if there is none. */
async function insensitive(folder: string, parts: readonly string[]): Promise<string | undefined> {
  let at = folder;
  for (const part of parts) {
    const entries = await readdir(at, { withFileTypes: true }).catch(() => []);
    const found = entries.find(
      (entry) => sameName(entry.name, part) && (entry.isDirectory() || entry.isSymbolicLink()),
    );
    if (found === undefined) return undefined;
    at = join(at, found.name);
  }
  return at;
}

async function list(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    const reason = systemReason(error);
    if (reason === undefined) throw error;
    const action = 'Name the folder that holds the data sets.';
    throw new UserError(`Cannot read the folder ${folder}`, reason.why, action, { cause: error });
  }
}
