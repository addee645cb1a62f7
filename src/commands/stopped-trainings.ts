/** Resume Training and Discard Training, for a training that was stopped. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { CancelledError, UserError } from '../engine/errors';
import { discardTraining, readStopped, type StoppedTraining } from '../engine/retrain/loop/stopped';
import { stoppedWords } from '../views/items/training';
import type { Command, CommonArguments } from '../host/command';
import { isTrainingOf, resumingSpec } from '../host/resuming-spec';
import { runRetraining } from '../host/run-retraining';

export interface TrainingArguments extends CommonArguments {
  /** Folder that the training is to write, or was. */
  readonly out?: string;
}

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

export const discardTrainingCommand: Command<TrainingArguments> = {
  id: 'coppice.discardTraining',
  async run(coppice, args) {
    const { out, step, steps } = await chooseTraining(coppice, args, vscode.l10n.t('Discard Training'));
    const discard = vscode.l10n.t('Discard');
    const detail = vscode.l10n.t(
      'What was trained in {0} of {1} steps is deleted: the folder {2}.',
      step,
      steps,
      `${out}.training`,
    );
    const question = vscode.l10n.t('Discard the training of {0}?', basename(out));
    const sure = args.throws ?? (await vscode.window.showWarningMessage(question, { modal: true, detail }, discard));
    if (!sure) throw new CancelledError();
    await discardTraining(out);
    await coppice.library.rescan();
    return out;
  },
};

/** @throws UserError when there is none, or it cannot be read; CancelledError */
async function chooseTraining(
  { library }: Coppice,
  { out }: TrainingArguments,
  title: string,
): Promise<StoppedTraining> {
  const found = out === undefined ? await pickTraining(library.trainings(), title) : await readStopped(out);
  if (found) return found;
  throw new UserError(
    vscode.l10n.t('There is no training to resume'),
    out === undefined
      ? vscode.l10n.t('none in this workspace was stopped')
      : vscode.l10n.t('that of {0} runs, or is complete', basename(out)),
    vscode.l10n.t('Start one with “Coppice: Retrain with LoRA…”.'),
  );
}

async function pickTraining(
  trainings: readonly StoppedTraining[],
  title: string,
): Promise<StoppedTraining | undefined> {
  if (trainings.length <= 1) return trainings[0];
  const items = trainings.map((training) => ({
    label: stoppedWords(training),
    description: vscode.workspace.asRelativePath(training.out),
    training,
  }));
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: vscode.l10n.t('Which training?') });
  if (!picked) throw new CancelledError();
  return picked.training;
}
