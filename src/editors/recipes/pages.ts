/** Pages of Markdown about recipes, in VS Code's own preview. They are texts without a file. */
import * as vscode from 'vscode';

const SCHEME = 'coppice-recipe';
const pages = new Map<string, string>();
const changed = new vscode.EventEmitter<vscode.Uri>();

export const providePages = (): vscode.Disposable =>
  vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    onDidChange: changed.event,
    provideTextDocumentContent: ({ path }) => pages.get(path) ?? '',
  });

/** @param title names the page: a second one of the same name replaces it */
export async function showPage(title: string, markdown: string): Promise<void> {
  const uri = vscode.Uri.from({ scheme: SCHEME, path: `/${title.replaceAll('/', '-')}.md` });
  pages.set(uri.path, markdown);
  changed.fire(uri);
  await vscode.commands.executeCommand('markdown.showPreview', uri);
}
