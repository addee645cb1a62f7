/**
 * Plain ASCII text from stories whose typographic marks were read in the wrong encoding: UTF-8 taken for Windows-1252 turns
 * an apostrophe (bytes E2 80 99) into three characters, and a closing quotation mark (E2 80 9D) into two, as 9D is
 * no character there. Quotes, dashes and spaces of either form become those of a typewriter: a vocabulary of two
 * thousand tokens has better uses than rare marks.
 */

/** Third byte of the marks U+20xx as Windows-1252 shows it, and the mark that was meant; nothing at all is U+201D. */
const MISREAD: Readonly<Record<string, string>> = {
  '\u02dc': "'", // 98, U+2018
  '\u2122': "'", // 99, U+2019
  '\u0153': '"', // 9C, U+201C
  '\u201c': '-', // 93, U+2013
  '\u201d': ' - ', // 94, U+2014
  '\u00a6': '...', // A6, U+2026
  '\u0160': ' ', // 8A, U+200A
};

const TYPOGRAPHIC: Readonly<Record<string, string>> = {
  '\u2018': "'",
  '\u2019': "'",
  '\u201c': '"',
  '\u201d': '"',
  '\u2013': '-',
  '\u2014': ' - ',
  '\u2026': '...',
};

/** `text` repaired, without blanks at the ends of lines, doubled spaces, or more than one blank line in a row. */
export function repairText(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(
      /\u00e2\u20ac([\u02dc\u2122\u0153\u201c\u201d\u00a6\u0160]?)/g,
      (_, third: string) => MISREAD[third] ?? '"',
    )
    .replaceAll(/[\u2018\u2019\u201c\u201d\u2013\u2014\u2026]/g, (mark) => TYPOGRAPHIC[mark])
    .replaceAll(/[ \t\u00a0]+/g, ' ')
    .replaceAll(/ ?\n ?/g, '\n')
    .replaceAll(/\n{3,}/g, '\n\n')
    .trim();
}
