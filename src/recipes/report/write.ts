/**
 * Writes the report of a run, as a page and as Markdown, into the folder of the state and where the user wants it. A
 * report is signed, so that the next run replaces a report that nobody edited, and nothing else.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../engine/errors';
import { isAsWritten, signed } from '../../engine/files/signed';
import { writeWhole } from '../../engine/files/whole-file';
import type { ReportAssets } from '../../engine/records/report';
import type { RecipeEnd } from '../types';
import { reportHtml } from './html';
import { reportMarkdown } from './markdown';

export const REPORT_PAGE = 'report.html';
const REPORT_TEXT = 'report.md';

/**
 * @param own also write it to this file: Markdown if its name ends in .md, else the page
 * @returns the path of the page
 * @throws UserError when a file cannot be written, or is no report of a recipe
 */
export async function writeReport(end: RecipeEnd, assets: ReportAssets, own?: string): Promise<string> {
  await checkReports(end.folder, own);
  const page = signed(await reportHtml(end, assets), 'html');
  const text = signed(reportMarkdown(end), 'html');
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

/** Nothing, an empty file, or a report that nobody edited. */
async function isReplaceable(file: string): Promise<boolean> {
  const stats = await lstat(file).catch(() => undefined);
  return !stats || (stats.isFile() && stats.size === 0) || isAsWritten(file);
}
