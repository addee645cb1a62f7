/** Errors of writing a checkpoint, in words for the user. */
import { systemErrorCode, UserError } from '../errors';
import { option, type OptionName } from '../option-token';
import { cannotWrite } from '../system-failure';

/**
 * Converts a system error of writing to a `UserError`; returns any other error unchanged.
 * @param error what was thrown
 * @param name the option that names the output
 */
export function writeFailure(error: unknown, out: string, name: OptionName = 'out'): unknown {
  const code = systemErrorCode(error);
  if (code === undefined) return error;
  const known = WRITE_FAILURES[code]?.(option(name));
  if (known === undefined) return cannotWrite(out, error);
  return new UserError(`${out} cannot be written`, known.why, known.action, { cause: error });
}

/** Why, and what to do. @param named the option, as messages name it */
type Failure = (named: string) => { readonly why: string; readonly action: string };

const permission: Failure = (named) => ({
  why: 'you have no permission to write there',
  action: `Choose another ${named}, or change the permissions of its folder.`,
});
const space = 'Free some space or choose another disk; nothing was left there.';
const another =
  (why: string): Failure =>
  (named) => ({ why, action: `Choose another ${named}.` });
const WRITE_FAILURES: Readonly<Partial<Record<string, Failure>>> = {
  EACCES: permission,
  EPERM: permission,
  EROFS: another('the file system is read-only'),
  ENOSPC: () => ({ why: 'the disk is full', action: space }),
  EDQUOT: () => ({ why: 'your quota of the disk is used up', action: space }),
  ENOTDIR: another('a part of its path is a file, not a folder'),
  ENAMETOOLONG: (named) => ({ why: 'its name is too long', action: `Choose a shorter ${named}.` }),
  ENOTEMPTY: another('another program created it at the same time'),
  EEXIST: another('another program created it at the same time'),
};
