/**
 * VS Code makes a link of "[words](address)" in a notification and in the sentence of an input box, and such a link may run any
 * command. Names and errors come from files, so none of them may be one.
 */

/** Takes no room, and nothing breaks at it. */
const JOINER = '\u2060';

/** The text as it is to be read: what would be a link is not one any more. */
export const withoutLinks = (text: string): string => text.replaceAll('](', `]${JOINER}(`);
