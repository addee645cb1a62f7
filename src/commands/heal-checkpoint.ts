/** Heal Checkpoint…: corrects the weights of the plan's model in closed form, and writes them. */
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { UserError } from '../engine/errors';
import type { Choice as BlockChoice } from '../engine/importance/choice';
import { healable } from '../engine/heal/healable';
import { HEAL_DEFAULTS, type HealMethod } from '../engine/heal/methods';
import { type Chosen, chooseCheckpoint } from '../host/choose-checkpoint';
import { chooseFile } from '../host/choose-file';
import type { Command, CommonArguments } from '../host/command';
import { checkpointBytes, requireSpace } from '../host/disk-space';
import { hintAtGit } from '../host/git-hint';
import { amountChoices, healingOptions, healingTexts, tellHealed, usualHealingText } from '../host/healing';
import { modelSource } from '../host/model-choice';
import { requireHealing } from '../host/no-healing';
import { askOutputFile, askOutputFolder, outputFolder } from '../host/output-folder';
import { quickChoice } from '../host/quick-choice';
import { recall, remember } from '../host/remembered';
import { runJob } from '../host/run-job';
import { showCheckpoint } from '../host/show-checkpoint';
import { askAll, BACK, pick, type Step } from '../host/steps';
import { PATCH } from '../views/group-files';
import type { HealSpec } from '../protocol/jobs';
import type { RemovedEntry } from '../protocol/json';

/** What is written: a checkpoint, or a file of the new weights alone. */
type Output = 'checkpoint' | 'patch';

export interface HealArguments extends CommonArguments {
  /** Blocks and modules to leave out; undefined uses the plan. */
  readonly remove?: readonly RemovedEntry[];
  /** How they were chosen; undefined means by hand. */
  readonly choice?: BlockChoice;
  readonly method?: HealMethod;
  /** A file of text, or "self" for text that the unpruned model writes. */
  readonly data?: string;
  readonly tokens?: number;
  /** Folder of the new checkpoint. */
  readonly out?: string;
  /** File of the new weights alone. */
  readonly patch?: string;
}

interface State extends HealArguments {
  readonly output?: Output;
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
    requireHealing(chosen.architecture, args.method);
    const { remove = [] } = modelSource(coppice, chosen, { plan: true, remove: args.remove });
    if (remove.length === 0) throw nothingToHeal();
    const choice = args.remove === undefined ? coppice.plans.choice(chosen.subject) : (args.choice ?? 'hand');
    const isNamed = args.out !== undefined || args.patch !== undefined;
    const complete = isNamed ? args : await askHealing(coppice, args, chosen, remove, title);
    const {
      data = usualHealingText(coppice, chosen.subject),
      tokens = HEAL_DEFAULTS.tokens,
      method,
      out,
      patch,
    } = complete;
    settle({ ...args, checkpoint: chosen.path, remove, choice, data, tokens, method, out, patch });
    if (out !== undefined) requireSpace(out, await checkpointBytes(chosen.checkpoint, remove));
    const spec: HealSpec = {
      kind: 'heal',
      checkpoint: chosen.path,
      remove,
      choice,
      method,
      ...healingOptions(coppice, data, tokens),
      out,
      patch,
    };
    const { result, warnings, unwatched } = await runJob(coppice, spec, { device: args.device });
    if (result.out !== null) await showCheckpoint(coppice, result.out);
    await vscode.commands.executeCommand('setContext', 'coppice.did.heal', true);
    if (result.patch !== null) await coppice.library.rescan();
    const written = result.out ?? result.patch;
    if (written !== null) void hintAtGit(coppice, args, written);
    if (unwatched) tellHealed({ ...args, checkpoint: chosen.path }, result, warnings);
    return result;
  },
};

const nothingToHeal = (): UserError =>
  new UserError(
    vscode.l10n.t('Nothing to heal'),
    vscode.l10n.t('all blocks are kept'),
    vscode.l10n.t(
      'Clear the checkboxes of blocks in the Checkpoints view, or run “Coppice: Suggest Blocks to Prune…”.',
    ),
  );

async function askHealing(
  coppice: Coppice,
  args: HealArguments,
  chosen: Chosen,
  remove: readonly RemovedEntry[],
  title: string,
): Promise<State> {
  const { config } = coppice;
  const usual = usualHealingText(coppice, chosen.subject);
  const plan = { chosen, removed: remove.filter((entry) => typeof entry === 'number') };
  const dataStep: Step<State> = async (_, place) => {
    const fixed = healingTexts(coppice, plan);
    const active = recall(coppice, 'heal', 'data', usual, config.calibration.file);
    const placeholder = vscode.l10n.t('Which text should the model be healed on? Best: text like what your app sends.');
    const data = await chooseFile(coppice, place, { placeholder, use: 'training', fixed, active });
    return data === BACK ? BACK : { data };
  };
  const tokensStep: Step<State> = async ({ data = usual }, place) => {
    const choices = amountChoices(coppice, plan, data);
    const active = quickChoice(choices, recall<number>(coppice, 'heal', 'tokens', HEAL_DEFAULTS.tokens));
    const tokens = await pick(place, vscode.l10n.t('Select how much text to heal on'), choices, active);
    return tokens === BACK ? BACK : { tokens };
  };
  const outputStep: Step<State> = async (_, place) => {
    const choices = [
      {
        label: vscode.l10n.t('New checkpoint'),
        description: vscode.l10n.t('stock tools load it'),
        value: 'checkpoint' as const,
      },
      {
        label: vscode.l10n.t('Patch file only'),
        description: vscode.l10n.t('the new weights, to look at before writing a checkpoint'),
        value: 'patch' as const,
      },
    ];
    const active = recall<string>(coppice, 'heal', 'output', 'checkpoint') as Output;
    const output = await pick(place, vscode.l10n.t('Select what to write'), choices, active);
    return output === BACK ? BACK : { output };
  };
  const pathStep: Step<State> = async ({ output }, place) => {
    const free = (extension = ''): string => outputFolder(config.outputFolder, chosen.checkpoint, 'healed', extension);
    if (output === 'patch') {
      const question = { prompt: vscode.l10n.t('File for the new weights'), value: free(PATCH), extension: PATCH };
      const patch = await askOutputFile(place, question);
      return patch === BACK ? BACK : { patch };
    }
    const bytes = await checkpointBytes(chosen.checkpoint, remove);
    const prompt = vscode.l10n.t('Folder for the new checkpoint');
    const out = await askOutputFolder(place, { prompt, value: free(), bytes });
    return out === BACK ? BACK : { out };
  };
  const complete = await askAll<State>(title, args, [
    ...(args.data === undefined ? [dataStep] : []),
    ...(args.tokens === undefined ? [tokensStep] : []),
    outputStep,
    pathStep,
  ]);
  const { data, tokens, output } = complete;
  const asked = { data: args.data === undefined ? data : undefined, output };
  await remember(coppice, 'heal', asked, { data: config.calibration.file });
  await remember(coppice, 'heal', { tokens: args.tokens === undefined ? tokens : undefined });
  return complete;
}
