/** Use as the Application's Text: a file or folder of the Explorer becomes the text that jobs of this workspace take their rows of. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { requireApplication, keepApplication } from '../host/ask/application-text';
import type { Command } from '../host/command';
import { inform, nextCommand } from '../host/inform';

export const useAsApplicationTextCommand: Command = {
  id: 'coppice.useAsApplicationText',
  needsTrust: true,
  async run(_, args) {
    const title = vscode.l10n.t('Use as the Application’s Text');
    // A file or folder of the Explorer comes where checkpoints do.
    const path = args.checkpoint ?? (await requireApplication({ title, step: 1 }));
    const records = await keepApplication(path);
    const text = vscode.l10n.t(
      'Jobs of this workspace take their rows of {0} from now on ({1} records): each its own, and others judge.',
      ...([basename(path), records] as const),
    );
    inform(args, text, nextCommand(vscode.l10n.t('Score Blocks…'), 'coppice.scoreBlocks', {}));
    return path;
  },
};
