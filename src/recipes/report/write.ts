/**
 * Writes the report of a run, as a page and as Markdown, into the folder of the state and where the user wants it. A
 * report ends with a mark that has the digest of the rest, so that the next run replaces a report and nothing else.
 */
import { createHash } from 'node:crypto';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../engine/errors';
import { withFile } from '../../engine/files/regular-file';
import { writeWhole } from '../../engine/files/whole-file';
import type { ReportAssets } from '../../engine/records/report';
import type { RecipeEnd } from '../types';
import { reportHtml } from './html';
import { reportMarkdown } from './markdown';

export const REPORT_PAGE = 'report.html';
export const REPORT_TEXT = 'report.md';

/** More than any report has. */
const MAX_BYTES = 256 * 2 ** 20;

/**
 * @param own also write it to this file: Markdown if its name ends in .md, else the page
 * @returns the path of the page
 * @throws UserError when a file cannot be written, or is no report of a recipe
 */
export async function writeReport(end: RecipeEnd, assets: ReportAssets, own?: string): Promise<string> {
  await checkReports(end.folder, own);
  const page = marked(await reportHtml(end, assets));
  const text = marked(reportMarkdown(end));
  const file = join(end.folder, REPORT_PAGE);
  await writeWhole(file, page);
  await writeWhole(join(end.folder, REPORT_TEXT), text);
  if (own !== undefined) await writeWhole(own, /\.md$/i.test(own) ? text : page);
  return file;
}

/**
 * Checks before a run that its reports replace reports only.
 * @param folder of the state @param own see `writeReport`
 * @throws UserError for a file that is none, or that someone changed
 */
export async function checkReports(folder: string, own?: string): Promise<void> {
  const files = [join(folder, REPORT_PAGE), join(folder, REPORT_TEXT), ...(own === undefined ? [] : [own])];
  for (const file of files) {
    if (await isReplaceable(file)) continue;
    throw new UserError(
      `${file} is not replaced`,
      'it is not a report of a recipe, or someone changed it',
      'Move or remove it.',
    );
  }
}

async function isReplaceable(file: string): Promise<boolean> {
  if (!(await lstat(file).catch(() => undefined))) return true;
  const text = await withFile(file, async (open) =>
    open.bytes > MAX_BYTES ? '' : (await open.readRange(0, open.bytes)).toString('utf8'),
  );
  const [whole, digest] = /\n<!-- report of a Coppice recipe ([0-9a-f]{64}) -->\s*$/.exec(text) ?? [];
  return whole !== undefined && digestOf(text.slice(0, -whole.length)) === digest;
}

const marked = (text: string): string => {
  const content = text.trimEnd();
  return `${content}\n<!-- report of a Coppice recipe ${digestOf(content)} -->\n`;
};

/** Git may change the ends of lines. */
const digestOf = (text: string): string =>
  createHash('sha256').update(text.replaceAll('\r\n', '\n').trimEnd()).digest('hex');
