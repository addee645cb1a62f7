/**
 * Escapes foreign text (names of files and models, settings, generated text) for Markdown, so that CommonMark, the
 * dialects of GitHub and the hub, and HTML all show it as plain text.
 */

/** Characters with a meaning inside a line. */
const SIGNS = /[\\`*_[\]<>|#&~$@]/g;
/** What these dialects turn into a link without brackets. */
const LINKS = /:(?=\/\/)|(?<=\bwww)\./gi;
/** The start of a list, a heading or a rule: a sign, or a number and a sign after it. */
const MARKER = /^(\d*)([-+=.)])/;
/** Control characters except white space, and characters that change the writing direction. */
// eslint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** On one line, in a paragraph, a heading or a cell of a table. */
export const inline = (text: string): string => escaped(oneLine(text));

/** As code on one line; Markdown and HTML have no effect in it. Not for tables, because a bar ends the cell. */
export function codeSpan(text: string): string {
  const code = visible(oneLine(text));
  const runs = code.match(/`+/g) ?? [];
  const fence = '`'.repeat(1 + Math.max(0, ...runs.map(({ length }) => length)));
  const space = /^`|`$|^ .* $/.test(code) || code === '' ? ' ' : '';
  return `${fence}${space}${code}${space}${fence}`;
}

/** As a quotation with its line breaks. */
export function quotation(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => `> ${lineStart(line)}`.trimEnd())
    .join('\n');
}

/** A table with plain text in its cells. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(inline).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

/** White space at the start would turn the line into code. */
function lineStart(line: string): string {
  const [, space, rest] = /^(\s*)(.*)$/s.exec(line)!;
  return '&nbsp;'.repeat(space.length) + escaped(rest).replace(MARKER, '$1\\$2');
}

const escaped = (text: string): string =>
  visible(text)
    .replace(SIGNS, (sign) => `\\${sign}`)
    .replace(LINKS, (sign) => `\\${sign}`);

const visible = (text: string): string =>
  text.replace(UNSEEN, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`);

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
