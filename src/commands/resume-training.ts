/** Resume Training: continues a stopped training. */
import * as vscode from 'vscode';
import { chooseTraining, type TrainingArguments } from '../host/ask/choose-training';
import type { Command } from '../host/command';
import { isTrainingOf, resumingSpec } from '../host/jobs/resuming-spec';
import { runRetraining } from '../host/jobs/run-retraining';

export const resumeTrainingCommand: Command<TrainingArguments> = {
  id: 'coppice.resumeTraining',
  needsTrust: true,
  async run(coppice, args, settle) {
    const training = await chooseTraining(coppice, args, vscode.l10n.t('Resume Training'));
    settle({ ...args, out: training.out });
    const { library } = coppice;
    const listed = library
      .entries()
      .find(({ path }) => isTrainingOf(training, { path, identity: library.peek(path)?.identity }));
    return runRetraining(coppice, resumingSpec(training, listed?.path), args);
  },
};
