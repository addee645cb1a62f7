/** Models in the view: opened, listed, and shown elsewhere. */
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { openInEditor } from '../editors/open-in-editor';
import { openResults } from '../editors/results/panel';
import { chooseCheckpoint, choosePath } from '../host/ask/choose-checkpoint';
import type { AnyCommand, Command, CommonArguments } from '../host/command';
import { exportedPath } from '../host/jobs/exported-path';
import { pathsOf } from '../host/line-paths';
import { did } from '../host/tour';
import { openCheckpointCommand } from './open-checkpoint';

/** Open in Coppice: adds a folder or file of the Explorer to the view. */
const openFromExplorerCommand: Command = {
  id: 'coppice.openFromExplorer',
  run: openCheckpointCommand.run,
};

/** Open Sample Model: opens the small model that comes with Coppice. */
const openSampleCommand: Command = {
  id: 'coppice.openSample',
  async run({ context, library, tree }) {
    const path = vscode.Uri.joinPath(context.extensionUri, 'media', 'sample').fsPath;
    await library.open(path);
    await vscode.commands.executeCommand('coppice.checkpoints.focus');
    await tree.reveal(path, { expand: true });
    await did('coppice.did.open');
    return { checkpoint: path };
  },
};

/** Refresh Checkpoints: searches the workspace again and reads changed files. */
const refreshCommand: Command = {
  id: 'coppice.refreshCheckpoints',
  async run({ library }) {
    for (const { path } of library.entries()) library.forget(path);
    await library.rescan();
    return { checkpoints: library.entries().map(({ path }) => path), adapters: library.adapters() };
  },
};

/** Remove Checkpoint from List: removes checkpoints that were opened by hand. Their files stay. */
const closeCheckpointCommand: Command = {
  id: 'coppice.closeCheckpoint',
  takesSeveral: true,
  async run(coppice, args) {
    const { library } = coppice;
    const named = pathsOf(args);
    if (named.length > 0) return library.close(named);
    const opened = library.entries().filter(({ origin }) => origin === 'opened');
    await library.close([await choosePath(coppice, vscode.l10n.t('Remove Checkpoint from List'), opened)]);
  },
};

/** Hide from List: hides lines of the view until they are shown again. */
const hideCheckpointCommand: Command = {
  id: 'coppice.hideCheckpoint',
  takesSeveral: true,
  run({ hidden }, args) {
    hidden.hide(pathsOf(args));
    return Promise.resolve();
  },
};

/** Show Hidden: shows all hidden lines of the view. */
const showHiddenCommand: Command = {
  id: 'coppice.showHidden',
  takesSeveral: true,
  run({ hidden }) {
    hidden.show();
    return Promise.resolve();
  },
};

/** Open in Checkpoint Editor: opens the files of the selected lines. */
const openInEditorCommand: Command = {
  id: 'coppice.openInEditor',
  takesSeveral: true,
  async run(_, args) {
    for (const path of pathsOf(args)) await openInEditor(path);
  },
};

/** Reveal in Explorer: shows what the selected lines stand for, also of a finished export: files of the workspace in the Explorer view, others in the file manager of the system. */
const revealFilesCommand: Command = {
  id: 'coppice.revealFiles',
  takesSeveral: true,
  async run(_, args) {
    const paths = args.jobs ? [(await exportedPath(args))!] : pathsOf(args);
    for (const path of paths) {
      const uri = vscode.Uri.file(path);
      const inWorkspace = vscode.workspace.getWorkspaceFolder(uri) !== undefined;
      await vscode.commands.executeCommand(inWorkspace ? 'revealInExplorer' : 'revealFileInOS', uri);
    }
  },
};

/** Copy Path: copies the paths of the selected lines, one per line. */
const copyPathCommand: Command = {
  id: 'coppice.copyPath',
  takesSeveral: true,
  async run(_, args) {
    await vscode.env.clipboard.writeText(pathsOf(args).join('\n'));
  },
};

/** Open in Integrated Terminal: a terminal in the folder of each selected model. */
const openTerminalCommand: Command = {
  id: 'coppice.openTerminal',
  takesSeveral: true,
  async run(_, args) {
    const paths = await Promise.all(
      pathsOf(args).map(async (path) => {
        const isFolder = await stat(path).then(
          (found) => found.isDirectory(),
          () => false,
        );
        return isFolder ? path : dirname(path);
      }),
    );
    for (const cwd of new Set(paths)) vscode.window.createTerminal({ cwd }).show();
  },
};

interface OpenResultsArguments extends CommonArguments {
  /** Id of a recorded run, which its chart draws. */
  readonly run?: string;
}

/** Open Results: opens the results panel of a checkpoint. */
const openResultsCommand: Command<OpenResultsArguments> = {
  id: 'coppice.openResults',
  async run(coppice, args) {
    const { path, checkpoint } = await chooseCheckpoint(coppice, args, vscode.l10n.t('Open Results'));
    await openResults(coppice, path, checkpoint, args.run);
  },
};

export const modelCommands: readonly AnyCommand[] = [
  openFromExplorerCommand,
  openSampleCommand,
  refreshCommand,
  closeCheckpointCommand,
  hideCheckpointCommand,
  showHiddenCommand,
  openInEditorCommand,
  revealFilesCommand,
  copyPathCommand,
  openTerminalCommand,
  openResultsCommand,
];
