/** Writes the report of a run, as a page and as Markdown, into the folder of the state and where the user wants it. */
import { join } from 'node:path';
import { writeWhole } from '../../engine/files/whole-file';
import type { ReportAssets } from '../../engine/records/report';
import type { RecipeEnd } from '../types';
import { reportHtml } from './html';
import { reportMarkdown } from './markdown';

export const REPORT_PAGE = 'report.html';
export const REPORT_TEXT = 'report.md';

/**
 * @param own also write it to this file: Markdown if its name ends in .md, else the page
 * @returns the path of the page
 * @throws UserError when a file cannot be written
 */
export async function writeReport(end: RecipeEnd, assets: ReportAssets, own?: string): Promise<string> {
  const page = await reportHtml(end, assets);
  const text = reportMarkdown(end);
  const file = join(end.folder, REPORT_PAGE);
  await writeWhole(file, page);
  await writeWhole(join(end.folder, REPORT_TEXT), text);
  if (own !== undefined) await writeWhole(own, /\.md$/i.test(own) ? text : page);
  return file;
}
