/** The line of a checkpoint: what it is and, once blocks are unticked, what the plan would give. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { summarize } from '../../engine/checkpoint/summary';
import type { Checkpoint } from '../../engine/checkpoint/types';
import type { UserError } from '../../engine/errors';
import type { Choice } from '../../engine/prune/choice';
import { mainDtype } from '../../engine/prune/recipes';
import { modelName } from '../../engine/runs/record';
import { choiceWords } from '../choice-words';
import type { Entry } from '../library';
import { planEffect } from '../plan-effect';
import type { Scores } from '../scores';
import { formatBytes, formatCount, shortCount, shortScore, times } from '../words';

export interface CheckpointLine extends Entry {
  /** Blocks that the plan removes. */
  readonly removed: readonly number[];
  /** How they were chosen. */
  readonly choice?: Choice;
  readonly scores?: Scores;
}

export function checkpointItem(checkpoint: Checkpoint, line: CheckpointLine): vscode.TreeItem {
  const { path, origin, removed } = line;
  const summary = summarize(checkpoint);
  const item = new vscode.TreeItem(labelOf(path, checkpoint), vscode.TreeItemCollapsibleState.Collapsed);
  item.id = `checkpoint:${path}`;
  const usable = checkpoint.architecture !== undefined;
  const states = [
    usable ? '' : 'inspectOnly',
    removed.length > 0 ? 'planned' : '',
    origin === 'opened' ? 'opened' : '',
  ];
  item.contextValue = ['checkpoint', ...states.filter((state) => state !== '')].join('.');
  item.iconPath = new vscode.ThemeIcon(usable ? 'layers' : 'archive');
  if (usable && removed.length > 0) {
    const { kept, parametersAfter, bytesAfter, speedup } = planEffect(checkpoint, removed);
    item.description = [
      vscode.l10n.t('keeps {0}/{1}', kept.length, kept.length + removed.length),
      shortCount(parametersAfter),
      formatBytes(bytesAfter),
      `≈ ${times(speedup)}`,
    ].join(' · ');
  } else {
    item.description = [
      summary.architecture ?? vscode.l10n.t('unknown architecture'),
      ...(summary.blocks === null ? [] : [vscode.l10n.t('{0} blocks', summary.blocks)]),
      shortCount(summary.parameters),
      formatBytes(summary.bytes),
      mainDtype(checkpoint),
    ].join(' · ');
  }
  item.tooltip = tooltip(checkpoint, line);
  item.accessibilityInformation = {
    label: `${typeof item.label === 'string' ? item.label : item.label?.label}, ${item.description}`,
  };
  return item;
}

/** The line of a checkpoint that cannot be opened, which says why. */
export function failedItem(path: string, origin: Entry['origin'], error: UserError): vscode.TreeItem {
  const item = new vscode.TreeItem(basename(path));
  item.id = `checkpoint:${path}`;
  item.contextValue = origin === 'opened' ? 'broken.opened' : 'broken';
  item.iconPath = new vscode.ThemeIcon('error', new vscode.ThemeColor('list.errorForeground'));
  item.description = error.why;
  item.tooltip = `${error.what}: ${error.why}\n${error.action}`;
  return item;
}

/** The folder's name, or the file's where the user named one; "org/name" for the Hugging Face cache. */
function labelOf(path: string, checkpoint: Checkpoint): string {
  return /\.(safetensors|json)$/.test(path) ? basename(path) : modelName(checkpoint);
}

function tooltip(checkpoint: Checkpoint, { path, removed, choice, scores }: CheckpointLine): vscode.MarkdownString {
  const { architecture, unsupported } = checkpoint;
  const summary = summarize(checkpoint);
  const text = new vscode.MarkdownString();
  const line = (name: string, value: string): void =>
    void text.appendMarkdown(`- ${name}: `).appendText(value).appendMarkdown('\n');
  text.appendText(path).appendMarkdown('\n\n');
  line(vscode.l10n.t('parameters'), formatCount(summary.parameters));
  line(vscode.l10n.t('types'), Object.keys(summary.dtypes).join(', '));
  line(vscode.l10n.t('files'), String(summary.shards));
  if (architecture) {
    const { hidden, heads, kvHeads, ffn, vocabulary, context } = architecture;
    line(vscode.l10n.t('width'), vscode.l10n.t('{0}, FFN {1}', hidden, ffn));
    line(vscode.l10n.t('heads'), heads === kvHeads ? String(heads) : `${heads} / ${kvHeads}`);
    line(vscode.l10n.t('vocabulary'), formatCount(vocabulary));
    line(vscode.l10n.t('context'), formatCount(context));
  }
  if (unsupported) line(vscode.l10n.t('inspection only'), `${unsupported.why}. ${unsupported.action}`);
  if (scores) {
    const full = scores.fullPpl === undefined ? '' : `, ${vscode.l10n.t('whole model')} ${shortScore(scores.fullPpl)}`;
    line(vscode.l10n.t('scored'), `${scores.criterion}${full}`);
  }
  if (removed.length > 0 && architecture) {
    const { speedup } = planEffect(checkpoint, removed);
    line(vscode.l10n.t('plan removes'), removed.join(', '));
    if (choice) line(vscode.l10n.t('plan'), choiceWords(choice, removed));
    line(vscode.l10n.t('writes about'), vscode.l10n.t('{0} as fast', times(speedup)));
  }
  for (const note of checkpoint.notes) line(vscode.l10n.t('note'), note);
  return text;
}
