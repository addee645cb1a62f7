/** Words for Node's system errors: the meaning of each, and what the user can do. */
import { writeFile } from 'node:fs/promises';
import { getSystemErrorMap } from 'node:util';
import { systemErrorCode, UserError } from './errors';

/** Why an operation on a file failed, and the next step. */
export interface SystemReason {
  readonly why: string;
  readonly action: string;
}

const reason = (why: string, action: string): SystemReason => ({ why, action });

const permission = reason('permission is denied', 'Change the permissions or choose another path.');

const REASONS: Readonly<Partial<Record<string, SystemReason>>> = {
  ENOENT: reason('there is no such file or folder', 'Check the path.'),
  ENOTDIR: reason('a part of the path is a file, not a folder', 'Check the path.'),
  EISDIR: reason('it is a folder', 'Name a file.'),
  EACCES: permission,
  EPERM: permission,
  EROFS: reason('the file system is read-only', 'Choose a path on a writable disk.'),
  ENOSPC: reason('the disk is full', 'Free some space or choose another disk.'),
  EDQUOT: reason('your quota of the disk is used up', 'Free some space or choose another disk.'),
  EFBIG: reason(
    'the file would be larger than the system allows',
    'Raise the limit on file sizes (ulimit -f), or choose a disk with another file system.',
  ),
  EMFILE: reason('too many files are open in this process', 'Raise the limit (ulimit -n) and run again.'),
  ENFILE: reason('too many files are open on this machine', 'Close other programs and run again.'),
  ENOMEM: reason('the system refuses more memory', 'Close other programs, or raise the limit (ulimit -v).'),
  EIO: reason('the disk or its connection has a fault', 'Check the disk and try again.'),
  ELOOP: reason('its symbolic links form a loop', 'Check the path.'),
  ENAMETOOLONG: reason('the path is too long', 'Choose a shorter path.'),
  ENXIO: reason('it is a socket or a device, not a regular file', 'Name a regular file.'),
  ETIMEDOUT: reason('the disk does not answer', 'Check the connection to the disk and try again.'),
  ESTALE: reason('the network disk no longer knows the file', 'Open the folder again and try again.'),
};

/** The meaning of a system error; an unknown one is named by its code. Undefined for other errors. */
export function systemReason(error: unknown): SystemReason | undefined {
  const code = systemErrorCode(error);
  return code === undefined ? undefined : reasonOf(code);
}

/** The same for an error number of a native library. */
export function reasonOfErrno(errno: number): SystemReason {
  return reasonOf(getSystemErrorMap().get(-errno)?.[0] ?? `error ${errno}`);
}

function reasonOf(code: string): SystemReason {
  return REASONS[code] ?? reason(`the system reports ${code}`, 'Check the path and the disk, and try again.');
}

/** A system error as a `UserError` about its path; undefined for other errors. */
export function systemFailure(error: unknown): UserError | undefined {
  const known = systemReason(error);
  if (!known) return undefined;
  const path = error instanceof Error && 'path' in error ? String(error.path) : undefined;
  return new UserError(path ?? 'a file operation failed', known.why, known.action, { cause: error });
}

/**
 * A system error of writing as a `UserError`; other errors unchanged.
 * @param what the output, because Node's error has no path once a file is open
 */
export function cannotWrite(what: string, error: unknown): unknown {
  const known = systemReason(error);
  return known ? new UserError(`${what} cannot be written`, known.why, known.action, { cause: error }) : error;
}

/** Writes a text to a file and replaces an older one. @throws UserError */
export async function writeTextFile(path: string, text: string): Promise<void> {
  await writeFile(path, text).catch((error: unknown) => {
    throw cannotWrite(path, error);
  });
}
