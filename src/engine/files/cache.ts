/** A folder for what can be made again: the text that a model wrote for itself. */
import { chmod, lstat, mkdir, mkdtemp } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The user's cache folder, made if it is missing: COPPICE_CACHE, or "coppice" in the system's usual place. Without a
 * place to write, a folder among the temporary files, which is this user's alone.
 */
export async function cacheFolder(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const folder = usualCache(environment);
  try {
    await mkdir(folder, { recursive: true });
    return folder;
  } catch {
    return temporaryCache();
  }
}

/** Where the cache folder is, if it can be made. */
export const usualCache = (environment: NodeJS.ProcessEnv = process.env): string =>
  environment.COPPICE_CACHE ?? join(systemCache(environment), 'coppice');

/** All users write into the system's temporary folder, and another may have taken the name first. */
async function temporaryCache(): Promise<string> {
  const uid = process.getuid?.();
  if (uid === undefined) {
    const own = join(tmpdir(), 'coppice'); // the temporary folder is the user's own already
    await mkdir(own, { recursive: true });
    return own;
  }
  const folder = join(tmpdir(), `coppice-${uid}`);
  await mkdir(folder, { mode: 0o700 }).catch(() => undefined); // it may be there
  const stats = await lstat(folder).catch(() => undefined);
  if (stats?.isDirectory() && stats.uid === uid) {
    await chmod(folder, 0o700);
    return folder;
  }
  return (fresh ??= mkdtemp(join(tmpdir(), `coppice-${uid}-`)));
}

/** One for this process, where another user has the name. */
let fresh: Promise<string> | undefined;

function systemCache({ XDG_CACHE_HOME, LOCALAPPDATA }: NodeJS.ProcessEnv): string {
  if (process.platform === 'win32') return LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return XDG_CACHE_HOME ?? join(homedir(), '.cache');
}
