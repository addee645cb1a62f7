/** Checks the folder that the user enters for a new checkpoint or adapter. */
import { accessSync, constants, existsSync, lstatSync, statfsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { systemErrorCode } from '../../engine/errors';
import { stateFileOf } from '../../engine/retrain/loop/workspace';
import { l10n } from '../../l10n';

/**
 * File systems of the Linux kernel that show its state and hold no files of users, by the numbers of statfs(2): proc,
 * sysfs, cgroup, cgroup2, securityfs, debugfs, tracefs, bpf, devpts. Root may write everywhere by its permissions, but
 * here no folder can be made.
 */
const KERNEL_FILE_SYSTEMS = new Set([
  0x9fa0, 0x62656572, 0x27e0eb, 0x63677270, 0x73636673, 0x64626720, 0x74726163, 0xcafe4a11, 0x1cd1,
]);

/** @param base where relative paths begin. @returns an absolute path; "~" is the user's home */
export function outputPath(text: string, base: string): string {
  const trimmed = text.trim();
  const home = /^~(?=$|[/\\])/.test(trimmed) ? join(homedir(), trimmed.slice(1)) : trimmed;
  return isAbsolute(home) ? resolve(home) : resolve(base, home);
}

/**
 * Why no new folder can be made at `path`, which is absolute; undefined when one can. Nothing is written to find out.
 */
export function outputPathFault(path: string): string | undefined {
  const parent = nearestParent(path);
  try {
    if (isThere(path)) return l10n.t('It already exists, and Coppice overwrites nothing.');
    if (existsSync(stateFileOf(path))) return l10n.t('A stopped training uses this folder. Enter another one.');
    if (!statSync(parent).isDirectory()) return l10n.t('{0} is a file, not a folder.', parent);
    const kernel = process.platform === 'linux' && KERNEL_FILE_SYSTEMS.has(statfsSync(parent).type);
    if (kernel) return l10n.t('{0} belongs to the system and holds no files.', parent);
    accessSync(parent, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    if (code === 'ENAMETOOLONG') return l10n.t('The name is too long.');
    const forbidden = code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
    return forbidden
      ? l10n.t('You have no permission to write to {0}.', parent)
      : l10n.t('{0} cannot be used ({1}).', parent, code);
  }
}

/** True also for a link without a target; false for a path below a file. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** The deepest folder on the way to `path` that exists. */
export function nearestParent(path: string): string {
  let parent = dirname(path);
  while (!existsSync(parent) && dirname(parent) !== parent) parent = dirname(parent);
  return parent;
}
