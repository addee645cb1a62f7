/** What the manifest lists by name. To register it, nothing of it has to be loaded. */
import type * as vscode from 'vscode';

/** Commands that the manifest does not list: pages and panels run them, and in lists they would be twins of others. */
export const INSIDE: readonly string[] = ['coppice.showBeforeAfter'];

interface Contributions {
  readonly commands: readonly { readonly command: string }[];
  readonly languageModelTools: readonly { readonly name: string }[];
}

export const contributionsOf = ({ extension }: Pick<vscode.ExtensionContext, 'extension'>): Contributions =>
  (extension.packageJSON as { readonly contributes: Contributions }).contributes;
