/** Healing in commands: how much of it, with its seconds, on which text, and the notification of its end. */
import * as vscode from 'vscode';
import { HEAL_DEFAULTS } from '../engine/heal/methods';
import { formatSeconds } from '../format/durations';
import { formatNumber } from '../format/numbers';
import type { HealResult } from '../protocol/heal';
import type { HealSpec } from '../protocol/jobs';
import { checkpointName } from '../jobs/titles';
import type { Chosen } from './choose-checkpoint';
import type { CommonArguments } from './command';
import type { Coppice } from './coppice';
import { healingEstimate, healingRows } from './estimates';
import { inform, nextCommand } from './inform';
import { type Finished, runJob } from './run-job';
import type { Choice } from './steps';

/** Text that the unpruned model writes. */
export const SELF = 'self';

/** Tokens of text: the default, and a quarter of it, which heals nearly as well. */
export const HEAL_TOKENS = { normal: HEAL_DEFAULTS.tokens, quick: HEAL_DEFAULTS.tokens / 4 } as const;

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
      detail: t('Corrects the weights of the kept blocks in closed form, on {0}', healingTextName(data)),
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

/** What a healing is told. */
export interface Healing extends Pick<HealSpec, 'remove' | 'choice' | 'out' | 'patch' | 'method'> {
  /** A file, or "self". */
  readonly data: string;
  readonly tokens: number;
}

export function healSpec(
  { config }: Coppice,
  { path, architecture }: Chosen,
  { data, tokens, ...healing }: Healing,
): HealSpec {
  const { length } = healingRows(architecture, tokens);
  const isCalibration = !config.usesBundledText && data === config.calibration.file;
  return {
    kind: 'heal',
    checkpoint: path,
    ...healing,
    ...(isCalibration ? { calibration: data } : { data: [data] }),
    tokens,
    ...(length < HEAL_DEFAULTS.length && { length }),
  };
}

/** Heals, and notifies the user of the result. @throws UserError, CancelledError */
export async function runHealing(coppice: Coppice, spec: HealSpec, args: CommonArguments): Promise<HealResult> {
  const finished = await runJob(coppice, spec, { device: args.device });
  if (finished.unwatched) tellHealed(args, spec, finished);
  return finished.result;
}

function tellHealed(args: CommonArguments, { checkpoint }: HealSpec, { result, warnings }: Finished<'heal'>): void {
  const { out, patch } = result;
  const results = nextCommand(vscode.l10n.t('Open Results'), 'coppice.openResults', { checkpoint });
  const reveal = {
    label: vscode.l10n.t('Reveal'),
    run: () => vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(patch!)),
  };
  const text = [healedWords(result), ...warnings].join(' ');
  inform(args, text, results, ...(out === null && patch !== null ? [reveal] : []));
}

/** "Healed SmolLM2-24 in 41 s: perplexity 152.9 → 112.7, divergence 0.92 → 0.58." */
export function healedWords({ out, patch, heldOut, fit, kept, seconds }: HealResult): string {
  const { t } = vscode.l10n;
  const name = checkpointName(out ?? patch ?? '');
  const { before, after } = heldOut ?? fit;
  const [ppl, kl] = (['ppl', 'kl'] as const).map((measure) =>
    [before, after].map((numbers) => formatNumber(Number(numbers[measure]), 4)).join(' → '),
  );
  const time = formatSeconds(seconds);
  return kept === 'healed'
    ? t('Healed {0} in {1}: perplexity {2}, divergence from the whole model {3}.', name, time, ppl, kl)
    : t('Healing made {0} no better (perplexity {1}), so it has its plain weights.', name, ppl);
}
