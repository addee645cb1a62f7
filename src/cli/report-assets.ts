/** The bundles that draw a report's charts. They are beside this program. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../engine/errors';
import type { ReportAssets } from '../engine/records/report';

let folder = join(dirname(fileURLToPath(import.meta.url)), 'webview');

/** Takes the bundles from another folder: where the program runs from source, none are beside it. */
export function setReportFolder(other: string): void {
  folder = other;
}

/** @throws UserError when the installation does not have them */
export async function reportAssets(): Promise<ReportAssets> {
  try {
    const [script, style] = await Promise.all(
      ['report.js', 'report.css'].map((name) => readFile(join(folder, name), 'utf8')),
    );
    return { script, style };
  } catch (error) {
    throw new UserError(
      'The report cannot be drawn',
      `${folder} has no report.js or no report.css`,
      'Install Coppice again.',
      { cause: error },
    );
  }
}
