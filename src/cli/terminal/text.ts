/** Formats numbers, tables and foreign text for the terminal. */
import type { TerminalFeatures } from './features';

// Text of a model or a file must not control the terminal. Escaped are control characters except tab and newline,
// characters that change the writing direction (a name could look like another one), and line separators at which
// terminals do not break.
const CONTROL =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

const escapeCharacter = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * `text` for a stream. In a terminal, control characters become visible escapes, and so do characters outside ASCII if
 * the terminal cannot show them. A pipe or file gets the text unchanged.
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

/** Coppice's own texts in a locale without Unicode: ASCII replaces their few special characters. */
export function plainSigns(text: string, features: Pick<TerminalFeatures, 'unicode'>): string {
  return features.unicode ? text : text.replace(/[█·–−×→…≤≥]/g, (sign) => SIGNS[sign]);
}

/** Collapses `text` to one line. */
export const oneLine = (text: string): string => text.replace(/\s*[\r\n]+\s*/g, ' ').trim();

/**
 * Columns of equal width; columns whose name starts with ">" are right-aligned. The cells must not have colour codes.
 */
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
