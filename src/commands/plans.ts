/** Save Plan As…, Use Plan…, Delete Plan…: plans with a name, kept beside the current one. Keep All Blocks: no plan. */
import * as vscode from 'vscode';
import { CancelledError, UserError } from '../engine/errors';
import { type Chosen, chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import type { Coppice } from '../host/coppice';
import { inform } from '../host/inform';
import { askPlanName, chooseNamedPlan } from '../host/ask/plan-names';
import type { PlanState } from '../state/plan';

export interface NamedPlanArguments extends CommonArguments {
  /** Name of the plan. */
  readonly plan?: string;
}

export const savePlanCommand: Command<NamedPlanArguments> = {
  id: 'coppice.savePlan',
  async run(coppice, args) {
    const { plans, namedPlans } = coppice;
    const { subject } = await chooseCheckpoint(coppice, args, vscode.l10n.t('Save Plan As'), { needs: 'plan' });
    const state = plans.state(subject);
    if (state.removed.length === 0) {
      throw new UserError(
        vscode.l10n.t('No plan to save'),
        vscode.l10n.t('all blocks are kept'),
        vscode.l10n.t('Clear the checkboxes of blocks in the Checkpoints view first.'),
      );
    }
    const known = namedPlans.of(subject).map(({ name }) => name);
    const name = args.plan ?? (await askPlanName(known));
    if (name === undefined || name === '') throw new CancelledError();
    namedPlans.keep(subject, name, state);
    return name;
  },
};

export const usePlanCommand: Command<NamedPlanArguments> = {
  id: 'coppice.usePlan',
  async run(coppice, args) {
    const title = vscode.l10n.t('Use Plan');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const { name, ...plan } = await chooseNamedPlan(coppice, chosen, title, args.plan);
    const before = coppice.plans.state(chosen.subject);
    coppice.plans.restore(chosen.subject, plan);
    if (wouldBeLost(coppice, chosen, before)) {
      const undo = { label: vscode.l10n.t('Undo'), run: () => coppice.plans.restore(chosen.subject, before) };
      inform(args, vscode.l10n.t('Switched to plan {0}. The previous plan was not saved.', name), undo);
    }
    return plan.removed;
  },
};

/** Whether a plan that was replaced is kept under no name. */
function wouldBeLost({ plans, namedPlans }: Coppice, { subject }: Chosen, { removed }: PlanState): boolean {
  const isKept = [plans.state(subject), ...namedPlans.of(subject)].some(
    (each) => each.removed.join() === removed.join(),
  );
  return removed.length > 0 && !isKept;
}

export const deletePlanCommand: Command<NamedPlanArguments> = {
  id: 'coppice.deletePlan',
  async run(coppice, args) {
    const { namedPlans } = coppice;
    const title = vscode.l10n.t('Delete Plan');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const plan = await chooseNamedPlan(coppice, chosen, title, args.plan);
    namedPlans.forget(chosen.subject, plan.name);
    const undo = { label: vscode.l10n.t('Undo'), run: () => namedPlans.keep(chosen.subject, plan.name, plan) };
    inform(args, vscode.l10n.t('Deleted the plan {0}.', plan.name), undo);
    return plan.name;
  },
};

export const resetPlanCommand: Command = {
  id: 'coppice.resetPlan',
  async run(coppice, args) {
    const { subject } = await chooseCheckpoint(coppice, args, vscode.l10n.t('Keep All Blocks'), { needs: 'plan' });
    coppice.plans.set(subject, []);
  },
};
