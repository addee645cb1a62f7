/** Next Step: does what the way to a model that ships asks for next, as the results panel does with its main button. */
import { stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import { COMMANDS } from '../editors/results/panel-host';
import { chooseCheckpoint } from '../host/ask/choose-checkpoint';
import type { Command } from '../host/command';
import type { Coppice } from '../host/coppice';

export const nextStepCommand: Command = {
  id: 'coppice.nextStep',
  async run(coppice, args) {
    const { path, subject } = await chooseCheckpoint(coppice, args, vscode.l10n.t('Next Step'), { prefers: 'plan' });
    const { next } = await coppice.tree.journey(subject);
    if (next.action === 'open') return goOnWith(coppice, next.path);
    const { action, adapter } = next;
    return vscode.commands.executeCommand(COMMANDS[action], {
      checkpoint: path,
      ...(adapter !== undefined && { adapter }),
      ...(args.throws && { throws: true }),
    });
  },
};

/** Goes to a model that came of this one. A folder of ONNX files is not a checkpoint. */
async function goOnWith({ library, tree }: Coppice, path: string): Promise<string> {
  if (library.entries().some((entry) => entry.path === path)) {
    await tree.reveal(path, { focus: true });
    await vscode.commands.executeCommand('coppice.openResults', { checkpoint: path });
  } else if (await stat(path).catch(() => undefined)) {
    await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(path));
  }
  return path;
}
