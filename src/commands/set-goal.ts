/** Set Goal…: what the model must be to ship: the format that the application loads, its size, and its perplexity. */
import * as vscode from 'vscode';
import { chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import { type GoalAnswers, goalFrom, goalSteps, goalWords } from '../host/ask/ship-goal';
import { inform, nextCommand, type NextStep } from '../host/inform';
import { askAll, pick } from '../host/ask/steps';
import { did } from '../host/tour';
import type { ShipGoal } from '../protocol/journey';
import { relativesOf } from './comparable-models';

export interface SetGoalArguments extends CommonArguments, GoalAnswers {
  /** Drops the goal. */
  readonly none?: boolean;
}

export const setGoalCommand: Command<SetGoalArguments> = {
  id: 'coppice.setGoal',
  async run(coppice, args, settle) {
    const title = vscode.l10n.t('Set Goal');
    const chosen = await chooseCheckpoint(coppice, args, title);
    const { originalIdentity } = await relativesOf(coppice, chosen);
    const before = coppice.goals.goal(originalIdentity);
    const isGiven = [args.format, args.none, args.faster].some((each) => each !== undefined);
    const isFaster = coppice.goals.wantsFaster(originalIdentity);
    const none = args.none ?? (!isGiven && (before !== undefined || isFaster) && (await wantsNone(before, title)));
    if (none) {
      coppice.goals.set(originalIdentity, undefined);
      return null;
    }
    const answers = isGiven ? args : await askAll<SetGoalArguments>(title, args, goalSteps(coppice, chosen, before));
    settle({ ...answers, checkpoint: chosen.path });
    if (answers.faster) {
      coppice.goals.setFaster(originalIdentity);
      await did('coppice.did.goal');
      inform(args, vscode.l10n.t('Goal: {0}.', fasterWords()), forecastStep(chosen.path));
      return null;
    }
    const goal = goalFrom(answers);
    coppice.goals.set(originalIdentity, goal);
    await did('coppice.did.goal');
    inform(args, vscode.l10n.t('Goal: {0}.', goalWords(goal)));
    return goal;
  },
};

/** Asks whether to change the goal or to drop it. */
async function wantsNone(before: ShipGoal | undefined, title: string): Promise<boolean> {
  const { t } = vscode.l10n;
  const choices = [
    { label: t('$(edit) Change the goal'), description: before ? goalWords(before) : fasterWords(), value: false },
    { label: t('$(trash) No goal'), value: true },
  ];
  return pick({ title, step: 1 }, t('This model has a goal'), choices, false);
}

const fasterWords = (): string => vscode.l10n.t('the same text, faster');

/** No block is removed for it, so that nothing else comes first. */
const forecastStep = (checkpoint: string): NextStep =>
  nextCommand(vscode.l10n.t('Forecast a Draft…'), 'coppice.forecastDraft', { checkpoint });
