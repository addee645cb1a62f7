/**
 * Three functions of Python's strings, which the harness makes its texts with. JavaScript's differ: `trim` keeps U+001C
 * to U+001F and U+0085, takes U+FEFF away, and counts UTF-16 units.
 */

// eslint-disable-next-line no-control-regex
const SPACE = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const LEADING = new RegExp(`^${SPACE.source}+`);

/** `str.strip()` */
export const strip = (text: string): string => stripEnd(text.replace(LEADING, ''));

/** `str.rstrip()`, in linear time: a regular expression would try every blank of a long run. */
function stripEnd(text: string): string {
  let end = text.length;
  while (end > 0 && SPACE.test(text[end - 1])) end--;
  return text.slice(0, end);
}

/** Whether the last character is white space. */
export const endsInSpace = (text: string): boolean => SPACE.test(text.slice(-1));

/** `str.capitalize()`: the first letter upper, all others lower case. */
export function capitalize(text: string): string {
  const [first = ''] = text;
  const [initial = '', ...others] = first.toUpperCase(); // "ß" gives "SS", and Python "Ss"
  return initial + (others.join('') + text.slice(first.length)).toLowerCase();
}

/** `len(str)`: code points. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
