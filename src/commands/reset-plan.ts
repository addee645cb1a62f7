/** Keep All Blocks: clears the plan. */
import * as vscode from 'vscode';
import { chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command } from '../host/command';

export const resetPlanCommand: Command = {
  id: 'coppice.resetPlan',
  async run(coppice, args) {
    const { subject } = await chooseCheckpoint(coppice, args, vscode.l10n.t('Keep All Blocks'), { needs: 'plan' });
    coppice.plans.set(subject, []);
  },
};
