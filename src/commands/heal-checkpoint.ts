/** Heal Checkpoint…: corrects the weights of the plan's model in closed form, and writes them. */
import { shareFor } from '../host/ask/judging-text';
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { UserError } from '../engine/errors';
import { isQuantizedGguf } from '../engine/checkpoint/gguf/name';
import { healable, requireHealable } from '../engine/heal/healable';
import { HEAL_DEFAULTS } from '../engine/heal/methods';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import { chooseFile } from '../host/ask/choose-file';
import type { Command, CommonArguments, JobArguments } from '../host/command';
import { checkpointBytes, requireSpace } from '../host/ask/disk-space';
import { hintAtGit } from '../host/git-hint';
import { amountChoices, healingOptions, healingTexts, tellHealed, usualHealingText } from '../host/ask/healing';
import { modelSource } from '../host/ask/model-choice';
import { quickChoice } from '../host/ask/quick-choice';
import { recall, remember } from '../host/ask/remembered';
import { runJob } from '../host/jobs/run-job';
import { askAll, pick, type Step } from '../host/ask/steps';
import { type HealedPlace, outputSteps, patchBeside } from './healed-output';
import type { HealResult } from '../jobs/results/heal';
import type { HealSpec } from '../protocol/jobs';

/** `remove`: undefined uses the plan. */
export interface HealArguments
  extends CommonArguments, HealedPlace, JobArguments<'heal', 'remove' | 'choice' | 'method' | 'tokens'> {
  /** A file of text, or "self" for text that the unpruned model writes. */
  readonly data?: string;
}

export const healCheckpointCommand: Command<HealArguments> = {
  id: 'coppice.heal',
  needsTrust: true,
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Heal Checkpoint');
    const chosen = await chooseCheckpoint(coppice, args, title, {
      prefers: 'plan',
      takes: ({ architecture, subject }) =>
        healable(architecture, args.method) && (args.remove !== undefined || coppice.plans.removed(subject).length > 0),
    });
    requireHealable(chosen.architecture, args.method); // before any question
    const { remove = [] } = modelSource(coppice, chosen, { plan: true, remove: args.remove });
    if (remove.length === 0) throw nothingToHeal();
    const choice = args.remove === undefined ? coppice.plans.choice(chosen.subject) : (args.choice ?? 'hand');
    const isNamed = (args.out ?? args.patch ?? args.gguf) !== undefined;
    const complete = isNamed ? args : await askHealing(coppice, args, chosen, remove, title);
    const {
      data = usualHealingText(coppice, chosen.subject),
      tokens = HEAL_DEFAULTS.tokens,
      method,
      out,
      gguf,
      patch = gguf === undefined ? undefined : patchBeside(gguf),
    } = complete;
    settle({ ...args, checkpoint: chosen.path, remove, choice, data, tokens, method, out, patch, gguf });
    if (out !== undefined) requireSpace(out, await checkpointBytes(chosen.checkpoint, remove));
    const spec: HealSpec = {
      kind: 'heal',
      checkpoint: chosen.path,
      remove,
      choice,
      method,
      ...healingOptions(coppice, data, tokens, await shareFor(coppice, data, { ...args, path: chosen.path })),
      out,
      patch,
    };
    const { result, warnings, unwatched } = await runJob(coppice, spec, { device: args.device });
    if (gguf !== undefined) return exported(args, chosen, gguf, result);
    const written = result.out ?? result.patch;
    if (written !== null) void hintAtGit(coppice, args, written);
    if (unwatched) tellHealed({ ...args, checkpoint: chosen.path }, result, warnings);
    return result;
  },
};

/** Writes the healed model as a file of the same kind, or the plain one where healing was no better. */
async function exported(args: HealArguments, { path }: Chosen, out: string, healed: HealResult): Promise<unknown> {
  const { device, throws } = args;
  const weights = healed.patch === null ? { remove: healed.removed } : { heal: healed.patch };
  const given = { checkpoint: path, device, throws, format: 'gguf', type: [], out, ...weights };
  return vscode.commands.executeCommand('coppice.exportModel', given);
}

const nothingToHeal = (): UserError =>
  new UserError(
    vscode.l10n.t('Nothing to heal'),
    vscode.l10n.t('all blocks are kept'),
    vscode.l10n.t('Clear the checkboxes of blocks in the Checkpoints view, or run “Coppice: Suggest Blocks…”.'),
  );

async function askHealing(
  coppice: Coppice,
  args: HealArguments,
  chosen: Chosen,
  remove: readonly (number | string)[],
  title: string,
): Promise<HealArguments> {
  const { config } = coppice;
  const usual = usualHealingText(coppice, chosen.subject);
  const plan = { chosen, removed: remove.filter((entry) => typeof entry === 'number') };
  const dataStep: Step<HealArguments> = async (_, place) => {
    const fixed = healingTexts(coppice, plan);
    const active = recall(coppice, 'heal', 'data', usual, config.calibration.file);
    const placeholder = vscode.l10n.t('Which text should the model be healed on? Best: text like what your app sends.');
    return { data: await chooseFile(coppice, place, { placeholder, use: 'training', fixed, active }) };
  };
  const tokensStep: Step<HealArguments> = async ({ data = usual }, place) => {
    const choices = amountChoices(coppice, plan, data);
    const active = quickChoice(choices, recall<number>(coppice, 'heal', 'tokens', HEAL_DEFAULTS.tokens));
    return { tokens: await pick(place, vscode.l10n.t('Select how much text to heal on'), choices, active) };
  };
  const complete = await askAll<HealArguments>(title, args, [
    ...(args.data === undefined ? [dataStep] : []),
    ...(args.tokens === undefined ? [tokensStep] : []),
    ...outputSteps<HealArguments>(coppice, chosen, remove, args),
  ]);
  const { data, tokens, output } = complete;
  const asked = { data: args.data === undefined ? data : undefined };
  await remember(coppice, 'heal', asked, { data: config.calibration.file });
  await remember(coppice, 'heal', { tokens: args.tokens === undefined ? tokens : undefined });
  const kind = isQuantizedGguf(chosen.checkpoint) ? 'gguf' : 'checkpoint';
  if (args.output === undefined) await remember(coppice, 'heal', { output }, { output: kind });
  return complete;
}
