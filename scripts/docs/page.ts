/** A page of the reference, and the pieces of Markdown that pages are made of. */

/** A page that is made from the code. */
export interface Page {
  /** Below docs/reference: "cli/score.md". */
  readonly file: string;
  readonly text: string;
}

/** A page of a title, a first paragraph that answers its question, and sections. Empty sections are left out. */
export const page = (file: string, title: string, ...parts: readonly string[]): Page => ({
  file,
  text: [`# ${title}`, ...parts].filter((part) => part !== '').join('\n\n'),
});

/** A section with its heading; empty without a body. */
export const section = (title: string, ...body: readonly string[]): string => {
  const parts = body.filter((part) => part !== '');
  return parts.length === 0 ? '' : [`## ${title}`, ...parts].join('\n\n');
};

/** A table; empty without rows. Columns without a value in any row are left out. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const used = head.map((_, column) => rows.some((row) => row[column] !== ''));
  const line = (cells: readonly string[]): string =>
    `| ${cells
      .filter((_, column) => used[column])
      .map((cell) => cell.replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|'))
      .join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

export const list = (items: readonly string[]): string => items.map((item) => `- ${item}`).join('\n');

export const fence = (language: string, text: string): string => `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;

export const code = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``);

export const codes = (texts: readonly string[]): string => texts.map(code).join(', ');

/** Options, names with an underscore, globs, JSON and variables of recipes are code wherever they stand. */
const NAMES =
  /(?<![\w-])--[a-z][\w-]*|\$\{[^}]+\}|\b\w+_\w+(?:[.(]\w+)?|(?<!\w)\*\.[\w.]*\w|\{"[^}]*\}|\[\d+(?:, \d+)*\]/g;

/** Text of the code as Markdown: what stands in backquotes is code, and so are names; nothing else has a meaning. */
export const prose = (text: string): string =>
  text
    .split(/(`[^`]*`)/)
    .map((piece, at) => (at % 2 === 1 ? piece : escaped(piece)))
    .join('');

const escaped = (text: string): string =>
  text
    .replaceAll(NAMES, (name) => code(name))
    .split(/(`[^`]*`)/)
    .map((piece, at) =>
      at % 2 === 1 ? piece : piece.replace(/[\\*_[\]]/g, (sign) => `\\${sign}`).replaceAll('<', '&lt;'),
    )
    .join('');

/** With a capital letter and a full stop. Values in front of a colon, and signs, keep their letters: "ppl, kl: how many". */
export function sentence(text: string): string {
  const keeps = /^[a-z][\w-]*(, [\w-]+)*:|^[^a-z]/.test(text) || /^[a-z]+[A-Z_.]/.test(text);
  const begun = keeps ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.:!?…]$/.test(begun) ? begun : `${begun}.`;
}

/** A value of JSON, as people write it in a table. */
export function valueText(value: unknown): string {
  if (value === undefined || value === '') return '';
  if (Array.isArray(value)) return value.length === 0 ? '' : codes(value.map(String));
  return code(typeof value === 'string' ? value : JSON.stringify(value));
}
