/** The line of a block: its box is the plan, its description the score, its colour how much it matters. */
import * as vscode from 'vscode';
import { blockUri } from '../decorations';
import type { BlockPart } from '../parts';
import { scoreSentence, scoreWords } from '../score-words';
import { type Importance, importances, type Scores } from '../scores';
import { formatBytes, formatCount, shortCount } from '../words';

export interface BlockState {
  readonly kept: boolean;
  /** Never suggested. */
  readonly protected: boolean;
  /** The settings forbid to remove it. */
  readonly locked: boolean;
  /** Those that are shown. */
  readonly scores?: Scores;
  /** By every criterion. */
  readonly allScores: readonly Scores[];
}

/** @param state undefined where nothing can be planned */
export function blockItem(path: string, block: BlockPart, state?: BlockState): vscode.TreeItem {
  const { index } = block;
  const item = new vscode.TreeItem(vscode.l10n.t('Block {0}', index), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `block:${path}:${index}`;
  item.iconPath = new vscode.ThemeIcon(iconOf(state));
  const size = `${shortCount(block.parameters)} · ${formatBytes(block.bytes)}`;
  if (!state) {
    item.contextValue = 'block';
    item.description = size;
    return item;
  }
  const { scores } = state;
  const score = scores && scoreWords(scores, index);
  const importance = importances(scores)?.[index];
  item.contextValue = state.kept ? 'block.kept' : 'block.removed';
  item.checkboxState = {
    state: state.kept ? vscode.TreeItemCheckboxState.Checked : vscode.TreeItemCheckboxState.Unchecked,
    tooltip: boxTooltip(state),
    accessibilityInformation: { label: vscode.l10n.t('Keep block {0}', index), role: 'checkbox' },
  };
  const goes = state.kept ? undefined : vscode.l10n.t('goes');
  // Box, colour and mark show that it is removed: a narrow side bar has room for the score alone.
  item.description = score ?? goes ?? size;
  item.resourceUri = blockUri(path, index, { importance, removed: !state.kept });
  item.tooltip = [
    vscode.l10n.t('Block {0}: {1} parameters, {2}', index, formatCount(block.parameters), formatBytes(block.bytes)),
    ...state.allScores.flatMap((each) => scoreSentence(each, index) ?? []),
    ...(state.protected ? [vscode.l10n.t('Protected: it is never suggested for removal (see the settings).')] : []),
  ].join('\n');
  item.accessibilityInformation = {
    label: [
      ...[vscode.l10n.t('Block {0}', index), importanceWords(importance), protectionWords(state)],
      ...[score === undefined ? undefined : goes, item.description],
    ]
      .filter(Boolean)
      .join(', '),
  };
  return item;
}

/** Protection is a mark, so that the score has the room. */
function iconOf(state: BlockState | undefined): string {
  if (state?.locked) return 'lock';
  return state?.protected ? 'shield' : 'symbol-structure';
}

function protectionWords(state: BlockState): string {
  if (state.locked) return vscode.l10n.t('locked');
  return state.protected ? vscode.l10n.t('protected') : '';
}

function importanceWords(importance: Importance | undefined): string {
  if (importance === 'low') return vscode.l10n.t('matters little');
  return importance === 'high' ? vscode.l10n.t('matters much') : '';
}

function boxTooltip({ locked, kept }: BlockState): string {
  if (locked) return vscode.l10n.t('The setting coppice.keep names this block: it stays.');
  return kept
    ? vscode.l10n.t('Stays. Untick to remove the block.')
    : vscode.l10n.t('Goes when the checkpoint is pruned.');
}
