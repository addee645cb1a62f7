/** Text that others have named (files, models), in Markdown. */

/** As code, in which nothing is read as Markdown or HTML; on one line. */
export const codeSpan = (text: string): string => `\`${text.replaceAll('`', "'").replace(/\s+/g, ' ')}\``;
