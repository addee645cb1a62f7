/** Healing in commands: how much of it, with its seconds, on which text, and the notification of its end. */
import * as vscode from 'vscode';
import { formatSeconds } from '../format/durations';
import { formatNumber } from '../format/numbers';
import type { HealResult } from '../protocol/heal';
import type { HealSpec } from '../protocol/jobs';
import { checkpointName } from '../jobs/titles';
import type { Chosen } from './choose-checkpoint';
import type { CommonArguments } from './command';
import type { Coppice } from './coppice';
import { healingEstimate } from './estimates';
import { HEAL_TOKENS, SELF } from '../jobs/healing-amounts';
import { compareStep, inform, nextCommand } from './inform';
import type { Choice } from './steps';

/** The calibration text if the settings name one, otherwise the model's own text. */
export const usualHealingText = ({ config }: Coppice): string =>
  config.usesBundledText ? SELF : config.calibration.file;

/** The text in a sentence. */
export const healingTextName = (data: string): string =>
  data === SELF ? vscode.l10n.t('text that the unpruned model writes') : vscode.workspace.asRelativePath(data);

/** The two amounts of healing as choices, each with its seconds. @param removed blocks, as far as they are known */
export function amountChoices(
  coppice: Coppice,
  { architecture }: Chosen,
  removed: readonly number[],
  data: string,
): Choice<number>[] {
  const describe = (tokens: number): string =>
    healingEstimate(coppice, architecture, { removed, tokens, writes: data === SELF });
  const { t } = vscode.l10n;
  return [
    {
      label: t('Heal after pruning'),
      description: describe(HEAL_TOKENS.normal),
      detail: t('Corrects the weights that are kept, on {0}', healingTextName(data)),
      value: HEAL_TOKENS.normal,
    },
    {
      label: t('Heal quickly'),
      description: describe(HEAL_TOKENS.quick),
      detail: t('The same on a quarter of the text: nearly as good'),
      value: HEAL_TOKENS.quick,
    },
  ];
}

/** The text and its amount, as options of a job. @param data a file, or "self" */
export function healingOptions(
  { config }: Coppice,
  data: string,
  tokens: number,
): Pick<HealSpec, 'calibration' | 'data' | 'tokens'> {
  const isCalibration = !config.usesBundledText && data === config.calibration.file;
  return { ...(isCalibration ? { calibration: data } : { data: [data] }), tokens };
}

/** Notifies the user of what a healing did. */
export function tellHealed(args: CommonArguments, result: HealResult, warnings: readonly string[]): void {
  const { out, patch } = result;
  const text = [healedWords(result), ...warnings].join(' ');
  const open = nextCommand(vscode.l10n.t('Open Results'), 'coppice.openResults', { checkpoint: args.checkpoint });
  const reveal = {
    label: vscode.l10n.t('Reveal'),
    run: () => vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(patch!)),
  };
  inform(args, text, ...(out === null ? [] : [compareStep(out)]), open, ...(patch === null ? [] : [reveal]));
}

/** "Healed SmolLM2-24 in 41 s: perplexity 152.9 → 112.7, divergence from the whole model 0.92 → 0.58." */
function healedWords({ out, patch, heldOut, fit, weights, seconds }: HealResult): string {
  const { t } = vscode.l10n;
  const { before, rounded } = heldOut ?? fit;
  const [ppl, kl] = (['ppl', 'kl'] as const).map((measure) =>
    [before, rounded].map((numbers) => formatNumber(Number(numbers[measure]), 4)).join(' → '),
  );
  const [written] = [out, patch].filter((path) => path !== null).map((path) => checkpointName(path));
  if (weights === 'plain') return t('Healing was no better than pruning alone (perplexity {0}).', ppl);
  const time = formatSeconds(seconds);
  return t('Healed {0} in {1}: perplexity {2}, divergence from the whole model {3}.', written, time, ppl, kl);
}
