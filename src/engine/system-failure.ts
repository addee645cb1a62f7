/** Node's system errors, where nobody nearer to the file has said what they mean. */
import { systemErrorCode, UserError } from './errors';

/** What they mean to someone who is not a programmer. */
const SYSTEM: Readonly<Record<string, readonly [why: string, action: string]>> = {
  ENOENT: ['there is no such file or folder', 'Check the path.'],
  EACCES: ['permission is denied', 'Change the permissions or choose another path.'],
  EPERM: ['the operation is not permitted', 'Change the permissions or choose another path.'],
  EROFS: ['the file system is read-only', 'Choose a path on a writable disk.'],
  ENOSPC: ['the disk is full', 'Free some space or choose another disk.'],
  EISDIR: ['a file is needed here, and this is a folder', 'Name a file.'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'Check the path.'],
  EMFILE: ['too many files are open', 'Raise the limit (ulimit -n) and run again.'],
};

/** A system error as the user can act on it; undefined for any other error. */
export function systemFailure(error: unknown): UserError | undefined {
  const known = SYSTEM[systemErrorCode(error) ?? ''];
  if (!known) return undefined;
  const path = error instanceof Error && 'path' in error ? String(error.path) : undefined;
  return new UserError(path ?? 'a file operation failed', known[0], known[1], { cause: error });
}
