/** The HTML of a webview's page, with the addresses of its files. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { ReportAssets } from '../engine/records/report';
import { pageDocument } from './page-document';

export interface Page {
  /** Name of the script and style sheet in dist/webview. */
  readonly name: 'editor' | 'panel';
  readonly title: string;
  /** Whether libraries in the page set style attributes. */
  readonly inlineStyles?: boolean;
}

/** The folder of the pages' files, the only one that a webview may read. */
export const pageFolder = (extension: vscode.Uri): vscode.Uri => vscode.Uri.joinPath(extension, 'dist', 'webview');

/** What draws the charts of a report that is a file of its own. */
export async function reportAssets(extension: vscode.Uri): Promise<ReportAssets> {
  const read = (name: string): Promise<string> =>
    readFile(vscode.Uri.joinPath(pageFolder(extension), name).fsPath, 'utf8');
  const [script, style] = await Promise.all([read('report.js'), read('report.css')]);
  return { script, style };
}

/** The HTML of `page`; the webview's options must have `enableScripts` and `pageFolder` as local resource root. */
export function pageHtml(webview: vscode.Webview, extension: vscode.Uri, page: Page): string {
  const file = (ending: string): string =>
    webview.asWebviewUri(vscode.Uri.joinPath(pageFolder(extension), `${page.name}.${ending}`)).toString();
  return pageDocument({
    title: page.title,
    language: vscode.env.language,
    script: file('js'),
    styleSheet: file('css'),
    source: webview.cspSource,
    nonce: randomBytes(16).toString('hex'),
    inlineStyles: page.inlineStyles,
    bundle: vscode.l10n.bundle,
  });
}
