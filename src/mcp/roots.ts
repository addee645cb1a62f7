/**
 * The folders that an agent may use. The command line names some, the client may name others; only what is inside both
 * is open. Neither can widen the other.
 */
import { realpath, stat } from 'node:fs/promises';
import { parse } from 'node:path';
import { fileURLToPath } from 'node:url';
import { OptionError, UserError } from '../engine/errors';
import { isInside } from '../engine/files/paths';

/** Asks the client for its roots: URIs. Undefined if it has no roots to tell. */
export type AskRoots = () => Promise<readonly string[] | undefined>;

export class Roots {
  private answer: Promise<readonly string[] | undefined> | undefined;

  /**
   * @param own folders of the command line, absolute, with links followed; none if it names none
   * @param current the current folder, which is open if nobody names another
   */
  constructor(
    private readonly own: readonly string[],
    private readonly current: string,
    private readonly ask: AskRoots,
  ) {}

  /** The client has other roots now: they are asked for again. */
  forget(): void {
    this.answer = undefined;
  }

  /**
   * The folders, absolute, with links followed.
   * @throws UserError if no folder is open
   */
  async folders(): Promise<readonly string[]> {
    const uris = await this.clients();
    // An editor without a folder has no roots: that says nothing about the folders of the command line.
    if (uris === undefined || uris.length === 0) return this.own.length > 0 ? this.own : [this.currentFolder()];
    const clients = await foldersOf(uris);
    const open = this.own.length > 0 ? common(this.own, clients) : withoutNested(clients);
    if (open.length > 0) return open;
    throw this.nothingOpen(uris);
  }

  private async clients(): Promise<readonly string[] | undefined> {
    const answer = (this.answer ??= this.ask());
    try {
      return await answer;
    } catch (error) {
      if (this.answer === answer) this.answer = undefined; // the next call may have more luck
      throw new UserError(
        'No folder is open',
        'the client did not say its roots, and without them nothing may be read',
        'Try again; if it fails again, start the client again.',
        { cause: error },
      );
    }
  }

  /** A client that starts its servers anywhere often starts them at the top of the disk, which is no one's choice. */
  private currentFolder(): string {
    if (this.current !== parse(this.current).root) return this.current;
    throw new UserError(
      'No folder is open',
      `neither --root nor the client names one, and the server runs in ${this.current}`,
      'Name the folder of the models in the configuration of the server: coppice mcp --root DIR.',
    );
  }

  private nothingOpen(uris: readonly string[]): UserError {
    const clients = `the client's roots (${uris.join(', ')})`;
    if (this.own.length === 0)
      return new UserError('No folder is open', `${clients} are no folders of this machine`, 'Open a local folder.');
    return new UserError(
      'No folder is open',
      `${clients} and those of --root (${this.own.join(', ')}) have no folder in common`,
      'Open a folder inside --root in the client, or start the server with another --root.',
    );
  }
}

/**
 * Folders of the command line as the checks need them.
 * @throws OptionError for one that is not a folder
 */
export async function ownRoots(paths: readonly string[]): Promise<string[]> {
  const folders = await Promise.all(paths.map(async (path) => ({ path, folder: await folderAt(path) })));
  const missing = folders.find(({ folder }) => folder === undefined);
  if (missing)
    throw new OptionError(`--root ${missing.path} cannot be used`, 'it is not a folder', 'Name a folder that exists.');
  return withoutNested(folders.map(({ folder }) => folder!));
}

/** Those URIs that are folders of this machine. */
async function foldersOf(uris: readonly string[]): Promise<string[]> {
  const found = await Promise.all(uris.map((uri) => folderAt(pathOf(uri))));
  return found.filter((folder) => folder !== undefined);
}

function pathOf(uri: string): string | undefined {
  try {
    return fileURLToPath(uri);
  } catch {
    return undefined; // of another scheme, or of another machine
  }
}

async function folderAt(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    const real = await realpath(path);
    return (await stat(real)).isDirectory() ? real : undefined;
  } catch {
    return undefined;
  }
}

/** What is inside a folder of both. */
const common = (some: readonly string[], others: readonly string[]): string[] =>
  withoutNested(some.flatMap((a) => others.flatMap((b) => (isInside(a, b) ? [a] : isInside(b, a) ? [b] : []))));

/** The same without folders that are inside another. */
function withoutNested(folders: readonly string[]): string[] {
  const each = [...new Set(folders)];
  return each.filter((folder) => !each.some((other) => other !== folder && isInside(folder, other)));
}
