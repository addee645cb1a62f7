/** Names of plans: asked for, and chosen from. */
import * as vscode from 'vscode';
import { CancelledError, UserError } from '../../engine/errors';
import { formatBytes } from '../../format/numbers';
import { planEffect } from '../../jobs/plan-effect';
import type { KeptPlan } from '../../state/named-plans';
import type { Chosen } from './choose-checkpoint';
import type { Coppice } from '../coppice';

/** Asks for the name of a plan; the next free letter is proposed. @returns undefined if the user cancels */
export async function askPlanName(known: readonly string[]): Promise<string | undefined> {
  const letters = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
  const name = await vscode.window.showInputBox({
    title: vscode.l10n.t('Save Plan As'),
    prompt: vscode.l10n.t('Name of the plan'),
    value: letters.find((letter) => !known.includes(letter)) ?? '',
    validateInput: (text) => {
      if (text.trim() === '') return vscode.l10n.t('Give the plan a name.');
      const { Warning: severity } = vscode.InputBoxValidationSeverity;
      if (!known.includes(text.trim())) return undefined;
      return { message: vscode.l10n.t('The plan of this name will be replaced.'), severity };
    },
  });
  return name?.trim();
}

/** The plan of this name, or the one that the user picks. @throws UserError when there is none; CancelledError */
export async function chooseNamedPlan(
  { namedPlans }: Coppice,
  { checkpoint, subject }: Chosen,
  title: string,
  name: string | undefined,
): Promise<KeptPlan> {
  const all = namedPlans.of(subject);
  if (all.length === 0) throw noNamedPlan(vscode.l10n.t('no plan of this checkpoint has a name'));
  if (name !== undefined) {
    const found = all.find((plan) => plan.name === name);
    if (found) return found;
    throw noNamedPlan(vscode.l10n.t('no plan has the name {0}', name));
  }
  const items = all.map((plan) => ({ label: plan.name, description: planFacts(checkpoint, plan.removed), plan }));
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: vscode.l10n.t('Select a plan') });
  if (!picked) throw new CancelledError();
  return picked.plan;
}

/** "keeps 24/30 · 226.5 MB" */
export function planFacts(checkpoint: Chosen['checkpoint'], removed: readonly number[]): string {
  const { kept, bytesAfter } = planEffect(checkpoint, removed);
  return [vscode.l10n.t('keeps {0}/{1}', kept.length, kept.length + removed.length), formatBytes(bytesAfter)].join(
    ' · ',
  );
}

const noNamedPlan = (why: string): UserError =>
  new UserError(
    vscode.l10n.t('No plan to choose'),
    why,
    vscode.l10n.t('Run “Coppice: Save Plan As…” to give the current plan a name.'),
  );
