/** Whether a text is JSON lines. Pure. */
import { isObject } from './json';

/** The first line that is not blank is a JSON object. */
export function startsWithObject(text: string): boolean {
  const line = /\S[^\n]*/.exec(text)?.[0] ?? '';
  try {
    return isObject(JSON.parse(line));
  } catch {
    return false;
  }
}
