/** Which licences packages may have whose code is in the programs, or is installed with them. */

/** SPDX identifiers. Each allows to pass the code on with a program of another licence, if its text goes along. */
export const ALLOWED = [
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'CC0-1.0',
  'ISC',
  'MIT',
  'Unlicense',
  'Zlib',
];

/** Packages of which only pictures are in the programs, with licences of works. Their texts go along too. */
const PICTURES = { '@vscode/codicons': 'CC-BY-4.0' };

/**
 * @param expression what a package.json says, such as "(MIT OR CC0-1.0)"
 * @returns whether one of the licences that it lets choose from is allowed, and all of those that hold together
 */
export function isAllowed(expression) {
  if (typeof expression !== 'string') return false;
  const words = expression.match(/[()]|[^\s()]+/g) ?? [];
  let at = 0;
  // OR binds less than AND.
  const either = () => {
    let allowed = both();
    while (words[at] === 'OR') {
      at++;
      const other = both();
      allowed ||= other;
    }
    return allowed;
  };
  const both = () => {
    let allowed = one();
    while (words[at] === 'AND') {
      at++;
      const other = one();
      allowed &&= other;
    }
    return allowed;
  };
  const one = () => {
    if (words[at] !== '(') return ALLOWED.includes(words[at++]);
    at++;
    const allowed = either();
    if (words[at++] !== ')') at = NaN; // never the end
    return allowed;
  };
  const allowed = either();
  return allowed && at === words.length;
}

/** @throws Error for a package whose licence is neither one of `ALLOWED` nor that of its pictures */
export function requireAllowed(name, license) {
  if (isAllowed(license) || (PICTURES[name] !== undefined && PICTURES[name] === license)) return;
  const found = typeof license === 'string' ? `the licence ${license}` : 'no licence';
  throw new Error(`${name} has ${found}: leave it out, or, if its licence fits, add it to scripts/licenses.mjs`);
}
