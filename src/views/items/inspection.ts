/** The group of models that can only be inspected, and the lines of GGUF files in it. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { Summary } from '../../engine/checkpoint/summary';
import type { GgufNode, Node } from '../nodes';
import { formatBytes, shortCount } from '../../format/numbers';

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

export function ggufItem(node: GgufNode, { blocks, parameters, bytes, dtypes, unsupported }: Summary): vscode.TreeItem {
  const { path, origin } = node.entry;
  const item = new vscode.TreeItem(basename(path));
  item.id = `gguf:${path}`;
  item.contextValue = origin === 'opened' ? 'gguf.opened' : 'gguf';
  item.iconPath = new vscode.ThemeIcon('file-binary');
  const [mainType] = Object.entries(dtypes).sort(([, a], [, b]) => b - a)[0] ?? [];
  item.description = [
    vscode.l10n.t('GGUF, read only'),
    ...(blocks === null ? [] : [vscode.l10n.t('{0} blocks', blocks)]),
    shortCount(parameters),
    formatBytes(bytes),
    ...(mainType === undefined ? [] : [mainType]),
  ].join(' · ');
  item.tooltip = [path, ...(unsupported ? [`${unsupported.why}. ${unsupported.action}`] : [])].join('\n');
  item.command = openCommand(node);
  return item;
}

/** The command of a click on a line of the group. */
export const openCommand = (node: Node): vscode.Command => ({
  command: 'coppice.openInEditor',
  title: vscode.l10n.t('Open in Checkpoint Editor'),
  arguments: [node],
});
