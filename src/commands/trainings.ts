/** Trainings that were stopped, and one that begins at its data. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import { discardTraining } from '../engine/retrain/loop/stopped';
import { chooseTraining, type TrainingArguments } from '../host/ask/choose-training';
import type { AnyCommand, Command, CommonArguments } from '../host/command';
import { isTrainingOf, resumingSpec } from '../host/jobs/resuming-spec';
import { runRetraining } from '../host/jobs/run-retraining';
import { type RetrainArguments, retrainLoraCommand } from './retrain-lora';

interface RetrainOnFileArguments extends CommonArguments {
  /** Files of the Explorer; that of the click if only one is selected. */
  readonly files?: readonly string[];
}

/** Retrain on This File…: starts the questions of a retraining with files of the Explorer as its data. */
const retrainOnFileCommand: Command<RetrainOnFileArguments> = {
  id: 'coppice.retrainOnFile',
  needsTrust: true,
  run(coppice, { checkpoint: file, files, device, throws }, settle) {
    const named = files ?? (file === undefined ? undefined : [file]);
    const args: RetrainArguments = { ...(named && { data: named, asks: true }), device, throws };
    return retrainLoraCommand.run(coppice, args, settle);
  },
};

/** Resume Training: continues a stopped training. */
const resumeTrainingCommand: Command<TrainingArguments> = {
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

/** Discard Training…: deletes the saved state of a stopped training. */
const discardTrainingCommand: Command<TrainingArguments> = {
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

export const trainingCommands: readonly AnyCommand[] = [
  retrainOnFileCommand,
  resumeTrainingCommand,
  discardTrainingCommand,
];
