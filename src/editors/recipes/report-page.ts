/** Shows the report of a recipe's run in a page of the editor: a browser of this machine need not see files of a remote one. */
import { createHash } from 'node:crypto';
import * as vscode from 'vscode';
import { readTextFile } from '../../engine/files/text-file';
import type { ReportAssets } from '../../engine/records/report';

/** The program of the charts is in it, and the data of some runs. */
const MAX_BYTES = 64 * 2 ** 20;

/** @throws UserError for a file that cannot be read */
export async function showReport(file: string, title: string, assets: ReportAssets): Promise<void> {
  const { text } = await readTextFile(file, MAX_BYTES, 'Run the recipe again: it writes a new report.');
  const panel = vscode.window.createWebviewPanel('coppice.recipeReport', title, vscode.ViewColumn.Active, {
    enableScripts: true,
    localResourceRoots: [],
  });
  panel.webview.html = guarded(text, assets);
}

/** The file may have come with a repository: no program runs but the one of this extension, and nothing is loaded. */
function guarded(html: string, { script }: ReportAssets): string {
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = `default-src 'none'; script-src 'sha256-${hash}'; style-src 'unsafe-inline'; img-src data: blob:`;
  return `<!DOCTYPE html><meta http-equiv="Content-Security-Policy" content="${policy}">${html}`;
}
