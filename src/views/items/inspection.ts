/** The group of models that can only be inspected. */
import * as vscode from 'vscode';
import type { Node } from '../../state/nodes';

/** @param count number of its lines @param alone whether the view has nothing else */
export function inspectionItem(count: number, alone: boolean): vscode.TreeItem {
  const { Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(vscode.l10n.t('Inspection only'), alone ? Expanded : Collapsed);
  item.id = 'inspection';
  item.contextValue = 'inspection';
  item.iconPath = new vscode.ThemeIcon('circle-slash');
  item.description = String(count);
  item.tooltip = vscode.l10n.t(
    'Coppice can inspect these models but not run them. Select one to open it in the checkpoint editor.',
  );
  return item;
}

/** The command of a click on a line of the group. */
export const openCommand = (node: Node): vscode.Command => ({
  command: 'coppice.openInEditor',
  title: vscode.l10n.t('Open in Checkpoint Editor'),
  arguments: [node],
});
