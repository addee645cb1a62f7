/** The stopped training that a command is about: the one that is named, the only one, or the one picked. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError, UserError } from '../../engine/errors';
import { readStopped, type StoppedTraining } from '../../engine/retrain/loop/stopped';
import { stoppedWords } from '../../views/items/training';
import type { CommonArguments } from '../command';
import type { Coppice } from '../coppice';

export interface TrainingArguments extends CommonArguments {
  /** Output folder of the training. */
  readonly out?: string;
}

/** @throws UserError when there is none, or it cannot be read; CancelledError */
export async function chooseTraining(
  { library }: Coppice,
  { out }: TrainingArguments,
  title: string,
): Promise<StoppedTraining> {
  const found = out === undefined ? await pickTraining(library.trainings(), title) : await readStopped(out);
  if (found) return found;
  throw new UserError(
    vscode.l10n.t('No stopped training'),
    out === undefined
      ? vscode.l10n.t('this workspace has no stopped training')
      : vscode.l10n.t('the training of {0} is running or complete', basename(out)),
    vscode.l10n.t('Run “Coppice: Retrain with LoRA…” to start one.'),
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
  const picked = await vscode.window.showQuickPick(items, { title, placeHolder: vscode.l10n.t('Select a training') });
  if (!picked) throw new CancelledError();
  return picked.training;
}
