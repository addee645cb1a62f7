/** Text from files in a hover. VS Code's own `appendText` leaves addresses, which its Markdown makes links of. */
import type * as vscode from 'vscode';
import { inline } from '../engine/markdown';

/** Appends a text that is shown as it is, on one line: no markup, no link and no icon. */
export function appendPlain(hover: vscode.MarkdownString, text: string): vscode.MarkdownString {
  return hover.appendMarkdown(inline(hover.supportThemeIcons ? text.replaceAll('$(', '\\$(') : text));
}
