/** Retrain on This File…: starts the questions of a retraining with files of the Explorer as its data. */
import type { Command, CommonArguments } from '../host/command';
import { type RetrainArguments, retrainLoraCommand } from './retrain-lora';

export interface RetrainOnFileArguments extends CommonArguments {
  /** Files of the Explorer; that of the click if only one is selected. */
  readonly files?: readonly string[];
}

export const retrainOnFileCommand: Command<RetrainOnFileArguments> = {
  id: 'coppice.retrainOnFile',
  needsTrust: true,
  run(coppice, { checkpoint: file, files, device, throws }, settle) {
    const named = files ?? (file === undefined ? undefined : [file]);
    const args: RetrainArguments = { ...(named && { data: named, asks: true }), device, throws };
    return retrainLoraCommand.run(coppice, args, settle);
  },
};
