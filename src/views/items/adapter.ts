/** The line of an adapter. */
import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as vscode from 'vscode';

/** An adapter's config is a page; what is longer is something else. */
const MAX_CONFIG_BYTES = 1e6;

export async function adapterItem(path: string): Promise<vscode.TreeItem> {
  const item = new vscode.TreeItem(basename(path));
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
  const file = join(path, 'adapter_config.json');
  if ((await stat(file)).size > MAX_CONFIG_BYTES) return undefined;
  const config: unknown = JSON.parse(await readFile(file, 'utf8'));
  const rank = typeof config === 'object' && config !== null && 'r' in config ? config.r : undefined;
  return typeof rank === 'number' ? rank : undefined;
}
