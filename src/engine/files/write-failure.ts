/** Errors of writing a checkpoint, in words for the user. */
import { systemErrorCode, UserError } from '../errors';
import { option } from '../option-token';
import { cannotWrite } from '../system-failure';

/**
 * Converts a system error of writing to a `UserError`; returns any other error unchanged.
 * @param error what was thrown
 */
export function writeFailure(error: unknown, out: string): unknown {
  const code = systemErrorCode(error);
  if (code === undefined) return error;
  const known = WRITE_FAILURES[code];
  if (known === undefined) return cannotWrite(out, error);
  return new UserError(`${out} cannot be written`, known.why, known.action, { cause: error });
}

const ANOTHER = `Choose another ${option('out')}`;
const permission = {
  why: 'you have no permission to write there',
  action: `${ANOTHER}, or change the permissions of its folder.`,
};
const full = { why: 'the disk is full', action: 'Free some space or choose another disk; nothing was left there.' };
const WRITE_FAILURES: Readonly<Partial<Record<string, { readonly why: string; readonly action: string }>>> = {
  EACCES: permission,
  EPERM: permission,
  EROFS: { why: 'the file system is read-only', action: `${ANOTHER}.` },
  ENOSPC: full,
  EDQUOT: { why: 'your quota of the disk is used up', action: full.action },
  ENOTDIR: { why: 'a part of its path is a file, not a folder', action: `${ANOTHER}.` },
  ENAMETOOLONG: { why: 'its name is too long', action: `Choose a shorter ${option('out')}.` },
  ENOTEMPTY: { why: 'another program created it at the same time', action: `${ANOTHER}.` },
  EEXIST: { why: 'another program created it at the same time', action: `${ANOTHER}.` },
};
