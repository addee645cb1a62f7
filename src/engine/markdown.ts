/**
 * Text that others have made (names of files and models, settings, what a model writes) in Markdown, so that all of it is
 * read as text: by CommonMark, by GitHub's and the hub's dialects, and as HTML.
 */

/** Signs that mean something in the middle of a line. */
const SIGNS = /[\\`*_[\]<>|#&~$@]/g;
/** What these dialects make a link of, without brackets. */
const LINKS = /:(?=\/\/)|(?<=\bwww)\./gi;
/** What makes a list, a heading or a rule of a line: a sign at its start, or a number there and the sign after it. */
const MARKER = /^(\d*)([-+=.)])/;
/** Control characters but for white space, and signs that turn the direction of writing. */
// eslint-disable-next-line no-control-regex
const UNSEEN = /[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** On one line, in a paragraph, a heading or a cell of a table. */
export const inline = (text: string): string => escaped(oneLine(text));

/** As code, in which nothing is read as Markdown or HTML; on one line. Not for tables, where a bar ends the cell. */
export function codeSpan(text: string): string {
  const code = visible(oneLine(text));
  const runs = code.match(/`+/g) ?? [];
  const fence = '`'.repeat(1 + Math.max(0, ...runs.map(({ length }) => length)));
  const space = /^`|`$|^ .* $/.test(code) || code === '' ? ' ' : '';
  return `${fence}${space}${code}${space}${fence}`;
}

/** As a quotation with the lines that it has. */
export function quotation(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => `> ${lineStart(line)}`.trimEnd())
    .join('\n');
}

/** A table; what is in its cells is text. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(inline).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

/** White space at the start would make code of it. */
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
