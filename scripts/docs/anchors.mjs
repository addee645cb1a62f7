/** Anchors of headings as GitHub makes them. The site takes the same, and a test follows links to them. */

/** "What `--json` prints" (its text) → "what---json-prints" */
export const anchorOf = (heading) =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');

/** The text of a heading in Markdown, without its signs. */
const textOf = (markdown) =>
  markdown
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/(?<![\w\\])([*_]{1,3})(?=\S)(.*?\S)\1(?!\w)/g, '$2')
    .replace(/\\([^\w\s])/g, '$1')
    .replaceAll('&lt;', '<')
    .replaceAll('`', '');

/** The anchors of a document, in order: a heading that occurs again gets a number. */
export function anchorsIn(markdown) {
  const seen = new Map();
  return headingsIn(markdown).map((heading) => {
    const anchor = anchorOf(textOf(heading));
    const before = seen.get(anchor) ?? 0;
    seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  });
}

/** The document without its fenced blocks. */
export const withoutFences = (markdown) =>
  markdown.replace(/^ {0,3}(`{3,}|~{3,})[^\n]*\n(?:.*?\n)??^ {0,3}\1[^\n]*$/gms, '');

export const headingsIn = (markdown) =>
  [...withoutFences(markdown).matchAll(/^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/gm)].map(([, heading]) => heading);
