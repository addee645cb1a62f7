/**
 * Pruning a quantized GGUF file. What is written is a checkpoint in float32, several times as large, which can be retrained. Who
 * wants a shorter file of the same kind exports it, as it is or healed: then what stays is copied.
 */
import * as vscode from 'vscode';
import { isQuantizedGguf } from '../engine/checkpoint/gguf/name';
import { healable } from '../engine/heal/healable';
import type { Checkpoint } from '../engine/checkpoint/types';
import { formatBytes } from '../format/numbers';
import type { Chosen } from '../host/ask/choose-checkpoint';
import type { CommonArguments } from '../host/command';
import { checkpointBytes } from '../host/ask/disk-space';
import type { Coppice } from '../host/coppice';
import { healingWords } from '../host/ask/job-time';
import { usualHealingText } from '../host/ask/healing';
import { noHealingWords } from '../host/ask/no-healing';
import { type PickChoice, pick } from '../host/ask/steps';
import { finerWords } from '../jobs/finer-words';
import { HEAL_TOKENS, SELF } from '../jobs/healing-amounts';
import { planEffect } from '../jobs/plan-effect';
import { healedGguf } from './healed-output';

/** What another command takes over. */
export const common = ({ device, throws }: CommonArguments): CommonArguments => ({
  ...(device !== undefined && { device }),
  ...(throws !== undefined && { throws }),
});

/** A GGUF file of the plan, one that is healed too, or a checkpoint in float32. */
export type QuantizedWay = 'export' | 'heal' | 'convert';

/**
 * Asks which of them is meant, with the size of each.
 * @param blocks that the plan removes; without any nothing is asked
 */
export async function quantizedWay(
  coppice: Coppice,
  title: string,
  chosen: Chosen,
  blocks: readonly number[],
): Promise<QuantizedWay> {
  if (blocks.length === 0) return 'convert';
  const { checkpoint, architecture } = chosen;
  const { t } = vscode.l10n;
  const where = { location: vscode.ProgressLocation.Window, title };
  const pruned = await vscode.window.withProgress(where, () => checkpointBytes(checkpoint, blocks));
  const { bytesAfter } = planEffect(checkpoint, blocks);
  const choices: PickChoice<QuantizedWay>[] = [
    ...(await healedWay(coppice, chosen, blocks)),
    {
      label: t('Export GGUF with the Same Types…'),
      description: formatBytes(bytesAfter),
      detail: t('Copies what stays; nothing is rounded again.'),
      value: 'export',
    },
    {
      label: t('Convert to float32 and Prune…'),
      description: formatBytes(pruned),
      detail: t('Safetensors, to retrain it. The file has {0} now.', formatBytes(checkpoint.size.all)),
      value: 'convert',
    },
  ];
  const question = t('This file is quantized. How should it become shorter?');
  // Nobody waits for a text that the model writes by pressing Enter.
  const usual = healable(architecture) && usualHealingText(coppice, chosen.subject) !== SELF ? 'heal' : 'export';
  const told = choices.map((choice) => (choice.value === usual ? recommended(choice) : choice));
  return pick({ title, step: 1 }, question, told, usual);
}

const recommended = (choice: PickChoice<QuantizedWay>): PickChoice<QuantizedWay> => ({
  ...choice,
  description: [choice.description, vscode.l10n.t('recommended')].join(' · '),
});

/** Healed, with the time on the text that would be taken; or why not. Nothing where it cannot be written as GGUF. */
async function healedWay(
  coppice: Coppice,
  chosen: Chosen,
  removed: readonly number[],
): Promise<PickChoice<QuantizedWay>[]> {
  const { t } = vscode.l10n;
  const { architecture, subject } = chosen;
  const label = t('Heal, and Export GGUF with the Same Types…');
  const refused = noHealingWords(architecture);
  if (refused !== undefined) return [{ label, value: 'heal', refused }];
  const size = await healedGguf(chosen, removed);
  if (!size) return [];
  const data = usualHealingText(coppice, subject);
  const time = healingWords(coppice, chosen, { removed, data, tokens: HEAL_TOKENS.normal });
  const words = [formatBytes(size.bytes), time].join(' · ');
  return [{ label, description: words, ...(size.finer && { detail: finerWords(size.finer) }), value: 'heal' }];
}

/** What a pruning does besides. */
export const conversionWords = (checkpoint: Checkpoint): string[] =>
  isQuantizedGguf(checkpoint)
    ? [vscode.l10n.t('Converts the file ({0}) to float32, to retrain it.', formatBytes(checkpoint.size.all))]
    : [];
