/** Discard Training…: deletes the saved state of a stopped training. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import { discardTraining } from '../engine/retrain/loop/stopped';
import { chooseTraining, type TrainingArguments } from '../host/ask/choose-training';
import type { Command } from '../host/command';

export const discardTrainingCommand: Command<TrainingArguments> = {
  id: 'coppice.discardTraining',
  async run(coppice, args) {
    const { out, step, steps } = await chooseTraining(coppice, args, vscode.l10n.t('Discard Training'));
    const discard = vscode.l10n.t('Discard');
    const detail = vscode.l10n.t(
      'Deletes the training state after {0} of {1} steps: the folder {2}.',
      step,
      steps,
      `${out}.training`,
    );
    const question = vscode.l10n.t('Discard the training of {0}?', basename(out));
    const sure = args.throws ?? (await vscode.window.showWarningMessage(question, { modal: true, detail }, discard));
    if (!sure) throw new CancelledError();
    await discardTraining(out);
    coppice.journal.forgetOutput(out);
    await coppice.library.rescan();
    return out;
  },
};
