/** Shows the report of a recipe's run in a page of the editor: a browser of this machine need not see files of a remote one. */
import * as vscode from 'vscode';
import { readTextFile } from '../../engine/files/text-file';
import type { ReportAssets } from '../../engine/records/report';
import { guardedReport } from '../../recipes/report/guard';

/** The program of the charts is in it, and the data of some runs. */
const MAX_BYTES = 64 * 2 ** 20;

/** @throws UserError for a file that cannot be read */
export async function showReport(file: string, title: string, assets: ReportAssets): Promise<void> {
  const { text } = await readTextFile(file, MAX_BYTES, vscode.l10n.t('Run the recipe again: it writes a new report.'));
  const panel = vscode.window.createWebviewPanel('coppice.recipeReport', title, vscode.ViewColumn.Active, {
    enableScripts: true,
    localResourceRoots: [],
  });
  panel.webview.html = guardedReport(text, assets);
}
