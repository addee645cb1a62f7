/**
 * Texts that Coppice may replace because it wrote them: their last line, a comment, has a digest of what stands before it. A
 * file that someone else wrote or edited has none, or another one.
 */
import { createHash } from 'node:crypto';
import { readTextFile } from './text-file';

const COMMENTS = { html: ['<!-- ', ' -->'], hash: ['# ', ''] } as const;
const LAST = /(?:<!-- |# )coppice ([0-9a-f]{16})(?: -->)?\r?\n$/;
/** Of a report with charts and texts. */
const MOST_BYTES = 256 * 2 ** 20;

/** The text with a last line that says that it is Coppice's. @param comment of the format: Markdown has those of HTML */
export function signed(text: string, comment: keyof typeof COMMENTS): string {
  const whole = text.endsWith('\n') ? text : `${text}\n`;
  const [open, close] = COMMENTS[comment];
  return `${whole}${open}coppice ${digestOf(whole)}${close}\n`;
}

/** Whether a file is as Coppice wrote it. */
export async function isAsWritten(file: string): Promise<boolean> {
  let text: string;
  try {
    ({ text } = await readTextFile(file, MOST_BYTES, ''));
  } catch {
    return false;
  }
  const last = LAST.exec(text);
  return last !== null && digestOf(text.slice(0, last.index)) === last[1];
}

/** Git may change the ends of lines. */
const digestOf = (text: string): string =>
  createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex').slice(0, 16);
