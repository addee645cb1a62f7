/**
 * Colors and marks of blocks, which make unimportant and removed blocks stand out. The state is part of the URI that VS
 * Code decorates, so no lookup is needed. Colors are theme colors, and a letter shows the same without color.
 */
import * as vscode from 'vscode';
import type { Importance } from '../state/scores';

const SCHEME = 'coppice-block';

interface BlockState {
  readonly importance?: Importance;
  readonly removed: boolean;
}

/** The URI of a block with this state. */
export function blockUri(path: string, block: number, { importance, removed }: BlockState): vscode.Uri {
  const query = new URLSearchParams({ ...(importance && { importance }), ...(removed && { removed: '1' }) });
  return vscode.Uri.from({ scheme: SCHEME, path: `/${block}`, query: query.toString(), fragment: path });
}

export class BlockDecorations implements vscode.FileDecorationProvider {
  provideFileDecoration(uri: vscode.Uri): vscode.FileDecoration | undefined {
    if (uri.scheme !== SCHEME) return undefined;
    const query = new URLSearchParams(uri.query);
    if (query.get('removed') === '1') {
      const tooltip = vscode.l10n.t('Will be removed');
      return new vscode.FileDecoration('−', tooltip, new vscode.ThemeColor('coppice.removedBlock'));
    }
    switch (query.get('importance')) {
      case 'low':
        return new vscode.FileDecoration(
          '↓',
          vscode.l10n.t('Low importance'),
          new vscode.ThemeColor('coppice.unimportantBlock'),
        );
      case 'high':
        return new vscode.FileDecoration(
          '↑',
          vscode.l10n.t('High importance'),
          new vscode.ThemeColor('coppice.importantBlock'),
        );
      default:
        return undefined;
    }
  }
}
