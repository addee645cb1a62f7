/** The line of a block: its checkbox shows the plan, its description the score, its color the importance. */
import * as vscode from 'vscode';
import type { LayerShape } from '../../engine/checkpoint/architecture';
import { attentionWords } from '../../state/words/attention-words';
import { blockContext } from '../contexts';
import { blockUri } from '../decorations';
import type { BlockTensors } from '../../state/model-tensors';
import { barOf, placesOf } from '../../state/words/score-bars';
import { scoreSentence, scoreValue, scoreWords } from '../../state/words/score-words';
import { type Importance, importances, type Scores } from '../../state/scores';
import { formatBytes, formatCount, shortCount } from '../../format/numbers';

export interface BlockState {
  readonly kept: boolean;
  /** The plan of its model removes blocks. */
  readonly planned: boolean;
  /** Never suggested. */
  readonly protected: boolean;
  /** The settings forbid removing it. */
  readonly locked: boolean;
  readonly shape: LayerShape;
  /** The scores that the view shows. */
  readonly scores?: Scores;
  /** The scores by every criterion. */
  readonly allScores: readonly Scores[];
}

/** @param state undefined for a checkpoint that can only be inspected */
export function blockItem(path: string, block: BlockTensors, state?: BlockState): vscode.TreeItem {
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
  const score = scores && scoreValue(scores, index);
  const place = scores && placesOf(scores).get(index);
  const importance = importances(scores)?.[index];
  item.contextValue = blockContext(state.kept, state.planned);
  item.checkboxState = {
    state: state.kept ? vscode.TreeItemCheckboxState.Checked : vscode.TreeItemCheckboxState.Unchecked,
    tooltip: boxTooltip(state),
    accessibilityInformation: { label: vscode.l10n.t('Keep block {0}', index), role: 'checkbox' },
  };
  const removal = state.kept ? undefined : vscode.l10n.t('will be removed');
  // The bars of all lines stand below each other, and the score comes before what checkbox, colour and mark show too.
  const facts = [score ?? (removal ? undefined : size), removal].filter(Boolean).join(' · ');
  item.description = place ? `${paddingOf(index, place.of)}${barOf(place)} ${facts}` : facts;
  item.resourceUri = blockUri(path, index, { importance, removed: !state.kept });
  item.tooltip = [
    vscode.l10n.t('Block {0}: {1} parameters, {2}', index, formatCount(block.parameters), formatBytes(block.bytes)),
    ...attentionWords(state.shape),
    ...state.allScores.flatMap((each) => scoreSentence(each, index) ?? []),
    ...(state.protected ? [vscode.l10n.t('Protected: Coppice never suggests removing it (see the settings).')] : []),
  ].join('\n');
  const spoken = [
    vscode.l10n.t('Block {0}', index),
    importanceWords(importance),
    protectionWords(state),
    [(scores && scoreWords(scores, index)) ?? facts, removal].filter(Boolean).join(', '),
    place && vscode.l10n.t('rank {0} of {1} (1 = removed first)', place.place, place.of),
  ];
  item.accessibilityInformation = { label: spoken.filter(Boolean).join(', ') };
  return item;
}

/** Spaces as wide as the digits that the block's number has less than others, so that the bars stand below each other. */
const paddingOf = (index: number, blocks: number): string =>
  '\u2007'.repeat(Math.max(0, String(blocks - 1).length - String(index).length));

/** Protection is shown by the icon, which leaves the description to the score. */
function iconOf(state: BlockState | undefined): string {
  if (state?.locked) return 'lock';
  return state?.protected ? 'shield' : 'symbol-structure';
}

function protectionWords(state: BlockState): string {
  if (state.locked) return vscode.l10n.t('protected by a setting');
  return state.protected ? vscode.l10n.t('protected') : '';
}

function importanceWords(importance: Importance | undefined): string {
  if (importance === 'low') return vscode.l10n.t('low importance');
  return importance === 'high' ? vscode.l10n.t('high importance') : '';
}

function boxTooltip({ locked, kept }: BlockState): string {
  if (locked) return vscode.l10n.t('Protected by the setting coppice.keep');
  return kept
    ? vscode.l10n.t('Clear to remove the block')
    : vscode.l10n.t('Will be removed when you prune the checkpoint');
}
