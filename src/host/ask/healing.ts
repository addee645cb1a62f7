/** Healing in commands: how much of it, with its seconds, on which text, and the notification of its end. */
import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import { formatSeconds } from '../../format/durations';
import { formatNumber } from '../../format/numbers';
import type { HealResult } from '../../jobs/results/heal';
import type { HealSpec } from '../../protocol/jobs';
import { atMost } from '../../estimates/words';
import { checkpointName } from '../../jobs/titles';
import type { Chosen } from './choose-checkpoint';
import type { CommonArguments } from '../command';
import type { Coppice } from '../coppice';
import { healingOf, healingWords, jobTime } from './job-time';
import { HEAL_TOKENS, SELF } from '../../jobs/healing-amounts';
import { compareStep, inform, nextCommand } from '../inform';
import { settingsText } from './settings-text';
import type { PickChoice } from './steps';
import type { PlanSubject } from '../../state/plan';

/**
 * The user's calibration text: that of the settings, or the one that the model was scored on. Without one, the model's own
 * text, which takes long to write.
 * @param model undefined looks at the settings only
 */
export function usualHealingText({ config, scores }: Pick<Coppice, 'config' | 'scores'>, model?: PlanSubject): string {
  const { file } = config.calibration;
  if (!config.usesBundledText) return file;
  const scored = model && scores.latest(model)?.calibration?.file;
  const isText = scored !== undefined && scored !== file && !/\.json$/i.test(scored); // rows of ids are no text
  return isText && existsSync(scored) ? scored : SELF;
}

/** The text in a sentence. */
const healingTextName = (data: string): string =>
  data === SELF ? vscode.l10n.t('text that the original writes') : vscode.workspace.asRelativePath(data);

/** What is healed: a model without blocks, as far as they are known. */
export interface HealedPlan {
  readonly chosen: Chosen;
  readonly removed: readonly number[];
}

/** The texts that come before those of the workspace, the user's own first, each with the time of a whole healing. */
export function healingTexts(coppice: Coppice, { chosen, removed }: HealedPlan): PickChoice<string>[] {
  const { t } = vscode.l10n;
  const time = (data: string): string => healingWords(coppice, chosen, { removed, data, tokens: HEAL_TOKENS.normal });
  const own = usualHealingText(coppice, chosen.subject);
  const label = coppice.config.usesBundledText
    ? t('$(book) The text that the model was scored on')
    : settingsText(coppice).label;
  const text = { label, description: `${vscode.workspace.asRelativePath(own)} · ${time(own)}`, value: own };
  return [
    ...(own === SELF ? [] : [text]),
    {
      label: t('$(sparkle) Text that the original writes'),
      description: t('needs no data · {0}', time(SELF)),
      value: SELF,
    },
  ];
}

/** The two amounts of healing as choices, each with its seconds. */
export function amountChoices(
  coppice: Coppice,
  { chosen, removed }: HealedPlan,
  data: string,
): (PickChoice<number> & { readonly seconds: number })[] {
  const { t } = vscode.l10n;
  const amount = (tokens: number): { description: string; seconds: number; value: number } => {
    const question = { removed, tokens, data };
    const time = jobTime(coppice, chosen, healingOf(chosen, question));
    const seconds = time ? atMost(time) : Infinity;
    return { description: healingWords(coppice, chosen, question), seconds, value: tokens };
  };
  return [
    {
      label: t('Heal after pruning'),
      detail: t('Corrects the weights that are kept, on {0}', healingTextName(data)),
      ...amount(HEAL_TOKENS.normal),
    },
    {
      label: t('Heal quickly'),
      detail: t('The same on a quarter of the text: nearly as good'),
      ...amount(HEAL_TOKENS.quick),
    },
  ];
}

/** The text and its amount, as options of a job. @param data a file, or "self" @param part the share of it that may fit */
export function healingOptions(
  { config }: Coppice,
  data: string,
  tokens: number,
  part: Pick<HealSpec, 'share'> = {},
): Pick<HealSpec, 'calibration' | 'data' | 'tokens' | 'share'> {
  const isCalibration = !config.usesBundledText && data === config.calibration.file;
  return { ...(isCalibration ? { calibration: data } : { data: [data] }), tokens, ...part };
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
  return t('Healed {0} in {1}: perplexity {2}, KL divergence from the original {3}.', written, time, ppl, kl);
}
