/**
 * Pruning a quantised GGUF file. What is written is a checkpoint in float32, several times as large, which can be retrained and
 * healed. Who wants the file shorter and nothing else exports it: then what stays is copied.
 */
import * as vscode from 'vscode';
import { isQuantisedGguf } from '../engine/checkpoint/gguf/name';
import type { Checkpoint } from '../engine/checkpoint/types';
import { formatBytes } from '../format/numbers';
import type { Chosen } from '../host/choose-checkpoint';
import type { CommonArguments } from '../host/command';
import { checkpointBytes } from '../host/disk-space';
import { pick } from '../host/steps';
import { planEffect } from '../jobs/plan-effect';

/** What another command takes over. */
export const common = ({ device, throws }: CommonArguments): CommonArguments => ({
  ...(device !== undefined && { device }),
  ...(throws !== undefined && { throws }),
});

/** Asks which of the two is meant, with the size of each. @param blocks that the plan removes; without any nothing is asked */
export async function wantsExport(title: string, { checkpoint }: Chosen, blocks: readonly number[]): Promise<boolean> {
  if (blocks.length === 0) return false;
  const { t } = vscode.l10n;
  const where = { location: vscode.ProgressLocation.Window, title };
  const pruned = await vscode.window.withProgress(where, () => checkpointBytes(checkpoint, blocks));
  const { bytesAfter } = planEffect(checkpoint, blocks);
  const choices = [
    {
      label: t('Export GGUF with the Same Types…'),
      description: t('{0} · recommended', formatBytes(bytesAfter)),
      detail: t('Copies what stays; nothing is rounded again.'),
      value: true,
    },
    {
      label: t('Convert to float32 and Prune…'),
      description: formatBytes(pruned),
      detail: t('Safetensors, to retrain or heal it. The file has {0} now.', formatBytes(checkpoint.size.all)),
      value: false,
    },
  ];
  const question = t('This file is quantised. Pruning writes another format, in which it is larger');
  return (await pick({ title, step: 1 }, question, choices, true)) === true;
}

/** What a pruning does besides. */
export const conversionWords = (checkpoint: Checkpoint): string[] =>
  isQuantisedGguf(checkpoint)
    ? [vscode.l10n.t('Converts the file ({0}) to float32, to retrain or heal it.', formatBytes(checkpoint.size.all))]
    : [];
