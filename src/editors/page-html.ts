/** The document of a webview: one script by nonce, one style sheet, nothing remote, nothing inline. */
import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

export interface Page {
  /** Name of the script and style sheet in dist/webview. */
  readonly name: 'editor' | 'panel';
  readonly title: string;
  /** Whether libraries in the page set style attributes and elements. */
  readonly inlineStyles?: boolean;
}

/** Where the pages' files lie; the only folder that a webview may read. */
export const pageFolder = (extension: vscode.Uri): vscode.Uri => vscode.Uri.joinPath(extension, 'dist', 'webview');

/** The HTML of `page`; the webview's options must have `enableScripts` and `pageFolder` as local resource root. */
export function pageHtml(webview: vscode.Webview, extension: vscode.Uri, page: Page): string {
  const file = (ending: string): string =>
    webview.asWebviewUri(vscode.Uri.joinPath(pageFolder(extension), `${page.name}.${ending}`)).toString();
  const nonce = randomBytes(16).toString('hex');
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource}${page.inlineStyles ? " 'unsafe-inline'" : ''}`,
    `img-src ${webview.cspSource} data: blob:`,
    `font-src ${webview.cspSource}`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="${escapeHtml(vscode.env.language)}">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="stylesheet" href="${escapeHtml(file('css'))}">
  <title>${escapeHtml(page.title)}</title>
</head>
<body>
  <main id="page"></main>
  <script nonce="${nonce}" src="${escapeHtml(file('js'))}"></script>
</body>
</html>`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
