/** A folder for what can be made again: the text that a model wrote for itself. */
import { mkdir } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The user's cache folder, made if it is missing: COPPICE_CACHE, or "coppice" in the system's usual place. Without a
 * place to write, a folder for temporary files.
 */
export async function cacheFolder(environment: NodeJS.ProcessEnv = process.env): Promise<string> {
  const folder = environment.COPPICE_CACHE ?? join(systemCache(environment), 'coppice');
  try {
    await mkdir(folder, { recursive: true });
    return folder;
  } catch {
    const other = join(tmpdir(), 'coppice');
    await mkdir(other, { recursive: true });
    return other;
  }
}

function systemCache({ XDG_CACHE_HOME, LOCALAPPDATA }: NodeJS.ProcessEnv): string {
  if (process.platform === 'win32') return LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return XDG_CACHE_HOME ?? join(homedir(), '.cache');
}
