/** Show Scores By…: chooses the criterion that colors and describes the blocks of a checkpoint. */
import * as vscode from 'vscode';
import { UserError } from '../engine/errors';
import type { Criterion } from '../engine/importance/criteria';
import { scoringSentence } from '../state/words/score-words';
import { chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command, CommonArguments } from '../host/command';
import { criterionChoices } from '../host/ask/criteria';
import { askAll, pick, type Step } from '../host/ask/steps';

export interface ShowScoresArguments extends CommonArguments {
  readonly criterion?: Criterion;
}

export const showScoresCommand: Command<ShowScoresArguments> = {
  id: 'coppice.showScores',
  async run(coppice, args) {
    const title = vscode.l10n.t('Show Scores By');
    const { path, subject, architecture } = await chooseCheckpoint(coppice, args, title, { needs: 'scores' });
    const all = coppice.scores.all(subject);
    if (all.length === 0) throw noScores(vscode.l10n.t('the blocks are not scored yet'));
    const shown = coppice.scores.shown(subject)?.criterion;
    const choices = criterionChoices(architecture).flatMap((choice) => {
      const scores = all.find(({ criterion }) => criterion === choice.value);
      return scores ? [{ label: choice.label, description: scoringSentence(scores), value: choice.value }] : [];
    });
    const step: Step<ShowScoresArguments> = async (_, place) => {
      return { criterion: await pick(place, vscode.l10n.t('Select the scores to show'), choices, shown) };
    };
    const { criterion } = args.criterion === undefined ? await askAll(title, args, [step]) : args;
    if (!all.some((scores) => scores.criterion === criterion)) {
      throw noScores(vscode.l10n.t('the blocks are not scored by {0}', String(criterion)));
    }
    coppice.scores.show(path, criterion!);
    return criterion;
  },
};

const noScores = (why: string): UserError =>
  new UserError(vscode.l10n.t('No scores to show'), why, vscode.l10n.t('Run “Coppice: Score Blocks…” first.'));
