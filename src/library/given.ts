/** What scripts give, checked before it is used: they may be written without types. */
import { UserError } from '../engine/errors';

/** @param name of the value in the message @param example of an object @throws UserError */
export function requireObject(value: unknown, name: string, example = "{ checkpoint: './model' }"): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new UserError(`${name} cannot be used`, 'it is not an object', `Give an object such as ${example}.`);
}

/** What goes with a call. @throws UserError */
export function requireAround(value: unknown): void {
  requireObject(value, 'What goes with the run', '{ onProgress: console.log }');
  const { signal } = value as { readonly signal?: unknown };
  if (signal === undefined || signal instanceof AbortSignal) return;
  throw new UserError(
    'signal cannot be used',
    'it is no AbortSignal',
    'Give that of an AbortController, or leave it out.',
  );
}

/** @throws UserError */
export function requirePath(value: unknown, name: string): asserts value is string {
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return;
  const why = typeof value === 'string' ? 'no path is like that' : 'it is not a text';
  throw new UserError(`${name} cannot be used`, why, 'Give a path.');
}

/** @throws UserError */
export function requireText(value: unknown, name: string): void {
  if (typeof value === 'string') return;
  throw new UserError(`${name} cannot be used`, 'it is not a text', "Give a text such as '3/8' or 'score'.");
}

/** @throws UserError */
export function requireTexts(value: unknown, name: string): void {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string' && each !== '')) return;
  throw new UserError(`${name} cannot be used`, 'it is not a list of texts', "Give a list such as ['one', 'other'].");
}
