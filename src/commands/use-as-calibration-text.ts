/** Use as Calibration Text: a file of the Explorer becomes the text that blocks are scored on, in this workspace. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { CancelledError } from '../engine/errors';
import type { Command } from '../host/command';
import { inform, nextCommand } from '../host/inform';

export const useAsCalibrationTextCommand: Command = {
  id: 'coppice.useAsCalibrationText',
  needsTrust: true,
  async run(_, args) {
    // A file of the Explorer comes where checkpoints do.
    const file = args.checkpoint ?? (await askFile());
    const path = vscode.workspace.asRelativePath(file, false);
    await vscode.workspace
      .getConfiguration('coppice')
      .update('calibration.file', path, vscode.ConfigurationTarget.Workspace);
    const text = vscode.l10n.t('Blocks are scored on {0} from now on, in this workspace.', basename(file));
    inform(args, text, nextCommand(vscode.l10n.t('Score Blocks…'), 'coppice.scoreBlocks', {}));
    return path;
  },
};

async function askFile(): Promise<string> {
  const filters = { [vscode.l10n.t('Texts')]: ['txt', 'md', 'jsonl', 'json'] };
  const title = vscode.l10n.t('Use as Calibration Text');
  const picked = await vscode.window.showOpenDialog({ title, canSelectMany: false, filters });
  if (!picked?.[0]) throw new CancelledError();
  return picked[0].fsPath;
}
