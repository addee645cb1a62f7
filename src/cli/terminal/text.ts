/** Numbers, tables and foreign text as the terminal should show them. */
import type { TerminalFeatures } from './features';

// Text of a model or a file must not steer the terminal: control characters except tab and newline, signs that turn the
// direction of writing (a name could read as another one), and separators of lines that no terminal breaks at.
const CONTROL =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const escapeCharacter = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * `text` for a stream: in a terminal, control characters become visible escapes, and so does everything outside ASCII
 * where the terminal would garble it. A pipe or file gets the text as it is.
 */
export function shown(text: string, features: Pick<TerminalFeatures, 'terminal' | 'unicode'>): string {
  if (!features.terminal) return text;
  const safe = text.replace(CONTROL, escapeCharacter);
  return features.unicode ? safe : safe.replace(/[^\n\t -~]/g, escapeCharacter);
}

const SIGNS: Readonly<Record<string, string>> = {
  '█': '#',
  '·': '.',
  '–': '-',
  '−': '-',
  '×': 'x',
  '→': '->',
  '…': '...',
  '≤': '<=',
  '≥': '>=',
};

/** Coppice's own words where the locale has no Unicode: the few signs that it uses get plain stand-ins. */
export function plainSigns(text: string, features: Pick<TerminalFeatures, 'unicode'>): string {
  return features.unicode ? text : text.replace(/[█·–−×→…≤≥]/g, (sign) => SIGNS[sign]);
}

/** Collapses `text` to one line. */
export const oneLine = (text: string): string => text.replace(/\s*[\r\n]+\s*/g, ' ').trim();

/** Columns of equal width; columns whose name starts with ">" are right-aligned. The cells hold no colour codes. */
export function table(names: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const right = names.map((name) => name.startsWith('>'));
  const head = names.map((name) => name.replace(/^>/, ''));
  const width = head.map((name, c) => Math.max(name.length, ...rows.map((row) => row[c].length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => (right[c] ? cell.padStart(width[c]) : cell.padEnd(width[c])))
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)];
}

/** Names and values in two columns. */
export function facts(pairs: readonly (readonly [name: string, value: string])[]): string[] {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
}
