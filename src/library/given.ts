/** What scripts give, checked before it is used: they may be written without types. */
import { UserError } from '../engine/errors';

/** @param name of the value in the message @throws UserError */
export function requireObject(value: unknown, name: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new UserError(
    `${name} cannot be used`,
    'it is not an object',
    "Give an object such as { checkpoint: './model' }.",
  );
}

/** @throws UserError */
export function requirePath(value: unknown, name: string): void {
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return;
  const why = typeof value === 'string' ? 'no path is like that' : 'it is not a text';
  throw new UserError(`${name} cannot be used`, why, 'Give a path.');
}
