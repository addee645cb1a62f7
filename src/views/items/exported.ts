/** The line of an exported folder of ONNX models. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { formatBytes } from '../../format/numbers';
import { numberRanges } from '../../format/ranges';
import type { ExportNode } from '../../state/nodes';

/** @param alone the model that it was written from is not above it */
export function exportItem({ folder }: ExportNode, alone: boolean): vscode.TreeItem {
  const { path, types, bytes, name, removed } = folder;
  const { t } = vscode.l10n;
  const item = new vscode.TreeItem(basename(path));
  item.id = `export:${path}`;
  item.contextValue = 'export';
  item.iconPath = new vscode.ThemeIcon('package');
  item.description = [t('exported'), types, formatBytes(bytes), ...(alone ? [t('made from {0}', name)] : [])].join(
    ' · ',
  );
  item.tooltip = [
    path,
    removed.length === 0
      ? t('ONNX, written from {0}.', name)
      : t('ONNX, written from {0} without {1}.', name, numberRanges(removed)),
  ].join('\n');
  item.accessibilityInformation = { label: `${basename(path)}, ${item.description}` };
  return item;
}
