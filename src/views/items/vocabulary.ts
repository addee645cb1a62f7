/** The line of a model's vocabulary: how much of the model it is, which trimming can save. */
import * as vscode from 'vscode';
import type { Architecture } from '../../engine/checkpoint/architecture';
import { vocabularyWords } from '../../state/words/vocabulary-words';

/** @param from tokens of the model that it was trimmed from; undefined for one that was not trimmed */
export function vocabularyItem(path: string, architecture: Architecture, from: number | undefined): vscode.TreeItem {
  const { label, description, hover } = vocabularyWords(architecture, from);
  const item = new vscode.TreeItem(label);
  item.id = `vocabulary:${path}`;
  item.contextValue = 'vocabulary';
  item.iconPath = new vscode.ThemeIcon('whole-word');
  item.description = description;
  item.tooltip = hover;
  item.accessibilityInformation = { label: `${label}, ${description}` };
  return item;
}
