/** The line of an adapter. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { readConfigFile } from '../../engine/checkpoint/config-file';
import { ADAPTER_CONFIG } from '../../engine/formats/peft';

/** @param made number of models with this adapter merged */
export async function adapterItem(path: string, made: number): Promise<vscode.TreeItem> {
  const { Collapsed, None } = vscode.TreeItemCollapsibleState;
  const item = new vscode.TreeItem(basename(path), made > 0 ? Collapsed : None);
  item.id = `adapter:${path}`;
  item.contextValue = 'adapter';
  item.iconPath = new vscode.ThemeIcon('plug');
  const rank = await rankOf(path).catch(() => undefined);
  item.description =
    rank === undefined ? vscode.l10n.t('LoRA adapter') : vscode.l10n.t('LoRA adapter · rank {0}', rank);
  item.tooltip = path;
  return item;
}

async function rankOf(path: string): Promise<number | undefined> {
  const { r: rank } = (await readConfigFile(path, ADAPTER_CONFIG)).value;
  return typeof rank === 'number' ? rank : undefined;
}
