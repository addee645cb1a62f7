/** The blocks that selected lines stand for, and why some of them stay. */
import * as vscode from 'vscode';
import { UserError } from '../engine/errors';
import { checkpointPathOf, type Node } from '../state/nodes';

/** By the path of their checkpoint, in the order of the lines. */
export function blocksOfLines(lines: readonly Node[]): Map<string, readonly number[]> {
  const blocks = new Map<string, number[]>();
  for (const line of lines) {
    if (line.kind !== 'block') continue;
    const path = checkpointPathOf(line)!;
    blocks.set(path, [...(blocks.get(path) ?? []), line.block.index]);
  }
  return blocks;
}

/** Why these blocks were not removed. */
export const lockedError = (refused: readonly number[]): UserError =>
  new UserError(
    refused.length === 1
      ? vscode.l10n.t('Cannot remove block {0}', refused[0])
      : vscode.l10n.t('Cannot remove blocks {0}', refused.join(', ')),
    vscode.l10n.t('protected by the setting coppice.keep'),
    vscode.l10n.t('Change the setting first.'),
  );
