/** The line of a checkpoint: its facts, or the result of its plan. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { formatLayerNumber, layerNumber } from '../../engine/checkpoint/layer-numbers';
import { summarize } from '../../engine/checkpoint/summary';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { isGgufCheckpoint } from '../../engine/checkpoint/gguf/name';
import type { UserError } from '../../engine/errors';
import { mainDtype } from '../../engine/checkpoint/main-dtype';
import type { Choice } from '../../engine/importance/choice';
import { modelName } from '../../engine/records/record';
import { choiceWords } from '../choice-words';
import type { CheckpointNode } from '../nodes';
import { planEffect } from '../../jobs/plan-effect';
import { scoringSentence } from '../score-words';
import type { Scores } from '../scores';
import { formatBytes, formatCount, shortCount, formatFactor } from '../../format/numbers';
import { openCommand } from './inspection';

export interface CheckpointState {
  /** Blocks that the plan removes. */
  readonly removed: readonly number[];
  /** How the blocks were chosen. */
  readonly choice?: Choice;
  /** Set if the plan removes blocks that no suggestion would remove. */
  readonly warning?: string;
  /** The scores that the view shows. */
  readonly scores?: Scores;
  /** The scores by every criterion. */
  readonly allScores: readonly Scores[];
}

export function checkpointItem(node: CheckpointNode, checkpoint: Checkpoint, state: CheckpointState): vscode.TreeItem {
  const { path, origin } = node.entry;
  const { removed, allScores } = state;
  const summary = summarize(checkpoint);
  const item = new vscode.TreeItem(labelOf(path, checkpoint), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `checkpoint:${path}`;
  const usable = checkpoint.architecture !== undefined;
  const states = [
    usable ? '' : 'inspectOnly',
    removed.length > 0 ? 'planned' : '',
    allScores.length > 0 ? 'scored' : '',
    origin === 'opened' ? 'opened' : '',
  ];
  item.contextValue = ['checkpoint', ...states.filter((state) => state !== '')].join('.');
  item.iconPath = new vscode.ThemeIcon(usable ? 'layers' : 'archive');
  if (usable && removed.length > 0) {
    const { kept, bytesAfter, speedup } = planEffect(checkpoint, removed);
    item.description = [
      vscode.l10n.t('keeps {0}/{1}', kept.length, kept.length + removed.length),
      formatBytes(bytesAfter),
      `≈ ${formatFactor(speedup)}`,
    ].join(' · ');
  } else {
    item.description = [
      summary.architecture ?? vscode.l10n.t('unknown architecture'),
      ...(summary.blocks === null ? [] : [blockCount(summary.blocks)]),
      shortCount(summary.parameters),
      formatBytes(summary.bytes),
      mainDtype(checkpoint) ?? '',
    ].join(' · ');
  }
  item.tooltip = tooltip(path, checkpoint, state);
  if (!usable) item.command = openCommand(node);
  item.accessibilityInformation = {
    label: `${typeof item.label === 'string' ? item.label : item.label?.label}, ${item.description}`,
  };
  return item;
}

/** The line of a checkpoint that cannot be opened, with the reason. */
export function failedItem(node: CheckpointNode, error: UserError): vscode.TreeItem {
  const { path, origin } = node.entry;
  const item = new vscode.TreeItem(basename(path));
  item.id = `${node.kind}:${path}`;
  item.contextValue = origin === 'opened' ? 'broken.opened' : 'broken';
  item.iconPath = new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'));
  item.description = error.why.charAt(0).toUpperCase() + error.why.slice(1);
  item.tooltip = `${error.what}: ${error.why}\n${error.action}`;
  item.command = openCommand(node);
  return item;
}

/**
 * Name of the folder; "org/name" for the Hugging Face cache. Name of the file if the user opened one, and of a GGUF file with its
 * end: the same model may lie beside it as a folder.
 */
function labelOf(path: string, checkpoint: Checkpoint): string {
  if (isGgufCheckpoint(checkpoint)) return `${modelName(checkpoint)}.gguf`;
  return /\.(safetensors|json)$/.test(path) ? basename(path) : modelName(checkpoint);
}

function tooltip(
  path: string,
  checkpoint: Checkpoint,
  { removed, choice, warning, scores, allScores }: CheckpointState,
): vscode.MarkdownString {
  const { architecture, unsupported } = checkpoint;
  const summary = summarize(checkpoint);
  const text = new vscode.MarkdownString();
  const line = (name: string, value: string): void =>
    void text.appendMarkdown(`- ${name}: `).appendText(value).appendMarkdown('\n');
  text.appendText(path).appendMarkdown('\n\n');
  line(vscode.l10n.t('Parameters'), formatCount(summary.parameters));
  line(vscode.l10n.t('Data types'), Object.keys(summary.dtypes).join(', '));
  line(vscode.l10n.t('Files'), String(summary.shards));
  if (architecture) {
    const { layers, hidden, vocabulary, context } = architecture;
    const each = (of: 'ffn' | 'heads' | 'kvHeads'): string =>
      formatLayerNumber(layerNumber(layers.map((layer) => layer[of])));
    line(vscode.l10n.t('Width'), vscode.l10n.t('{0}, FFN {1}', hidden, each('ffn')));
    const isGrouped = layers.some(({ heads, kvHeads }) => heads !== kvHeads);
    line(vscode.l10n.t('Heads'), isGrouped ? `${each('heads')} / ${each('kvHeads')}` : each('heads'));
    line(vscode.l10n.t('Vocabulary'), formatCount(vocabulary));
    line(vscode.l10n.t('Context length'), formatCount(context));
  }
  if (unsupported) line(vscode.l10n.t('Inspection only'), `${unsupported.why}. ${unsupported.action}`);
  for (const each of allScores) {
    line(each === scores ? vscode.l10n.t('Scores, shown') : vscode.l10n.t('Scores'), scoringSentence(each));
  }
  if (removed.length > 0 && architecture) {
    const { speedup } = planEffect(checkpoint, removed);
    line(vscode.l10n.t('Plan removes'), removed.join(', '));
    if (choice) line(vscode.l10n.t('Plan'), choiceWords(choice, removed));
    if (warning !== undefined) line(vscode.l10n.t('Warning'), vscode.l10n.t('the plan {0}', warning));
    line(vscode.l10n.t('Estimated speed'), formatFactor(speedup));
  }
  for (const note of checkpoint.notes) line(vscode.l10n.t('Note'), note);
  return text;
}

const blockCount = (blocks: number): string =>
  blocks === 1 ? vscode.l10n.t('1 block') : vscode.l10n.t('{0} blocks', blocks);
