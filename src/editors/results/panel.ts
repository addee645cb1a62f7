/** The results panels: one a checkpoint, brought back after a reload, made by "Coppice: Open Results". */
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { chooseCheckpoint } from '../../commands/choose-checkpoint';
import type { Command } from '../../commands/command';
import { recordFolders } from '../../commands/run-job';
import type { Coppice } from '../../coppice';
import { UserError } from '../../engine/errors';
import { modelName } from '../../engine/runs/record';
import { optionalTokenizer } from '../../engine/tokenizer/optional';
import type { FileContent, HostMessage, PanelMessage } from '../../protocol/panel';
import { pageFolder, pageHtml } from '../page-html';
import { PromptList } from './prompts';
import type { PanelHost, PanelServices, PanelSettings } from './services';
import { ResultsSession } from './session';

const PANEL = 'coppice.results';

/** What each start of the panel runs. */
const COMMANDS = {
  score: 'coppice.scoreBlocks',
  prune: 'coppice.pruneCheckpoint',
  retrain: 'coppice.retrainLora',
} as const;

interface Open {
  readonly panel: vscode.WebviewPanel;
  readonly session: ResultsSession;
}

const open = new Map<string, Open>();

export const openResultsCommand: Command = {
  id: 'coppice.openResults',
  async run(coppice, args) {
    const chosen = await chooseCheckpoint(coppice, args, vscode.l10n.t('Open Results'));
    const there = open.get(chosen.path);
    if (there) {
      there.panel.reveal();
      return;
    }
    const title = vscode.l10n.t('Results: {0}', modelName(chosen.checkpoint));
    const panel = vscode.window.createWebviewPanel(PANEL, title, vscode.ViewColumn.Active, {
      enableScripts: true,
      enableFindWidget: true,
      localResourceRoots: [pageFolder(coppice.context.extensionUri)],
    });
    await show(coppice, panel, chosen.path);
  },
};

/** Brings panels back that were open when the window was closed. */
export function registerResultsPanels(coppice: Coppice): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.window.registerWebviewPanelSerializer(PANEL, {
      async deserializeWebviewPanel(panel, state: unknown) {
        const path =
          typeof state === 'object' && state !== null && 'checkpoint' in state ? state.checkpoint : undefined;
        try {
          if (typeof path !== 'string') throw new Error('it was not shown yet');
          await show(coppice, panel, path);
        } catch (error) {
          coppice.log.warn(
            `a results panel is not brought back: ${error instanceof Error ? error.message : String(error)}`,
          );
          panel.dispose();
        }
      },
    }),
    coppice.library.onDidChange((path) => {
      for (const [shown, { session, panel }] of open) {
        if (path === undefined) void session.refresh();
        else if (path === shown) void reload(coppice, panel, shown);
      }
    }),
    coppice.config.onChange([], () => {
      for (const { session } of open.values()) session.settingsChanged();
    }),
    { dispose: () => open.clear() },
  );
}

/** The checkpoint's files are others now: everything is read again. */
async function reload(coppice: Coppice, panel: vscode.WebviewPanel, path: string): Promise<void> {
  open.get(path)?.session.dispose();
  open.delete(path);
  try {
    await show(coppice, panel, path);
  } catch {
    panel.dispose(); // it is gone, which the tree says
  }
}

async function show(coppice: Coppice, panel: vscode.WebviewPanel, path: string): Promise<void> {
  const checkpoint = await coppice.library.load(path);
  const { extensionUri } = coppice.context;
  panel.webview.options = { enableScripts: true, localResourceRoots: [pageFolder(extensionUri)] };
  panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icon.png');
  const tokenizer = await optionalTokenizer(checkpoint.folder).catch(() => undefined);
  const session = new ResultsSession(
    { path, checkpoint },
    servicesOf(coppice, panel),
    tokenizer?.hasChatTemplate ?? false,
  );
  open.set(path, { panel, session });
  const subscriptions = [
    panel.webview.onDidReceiveMessage((message: PanelMessage) => void session.receive(message)),
    panel.onDidChangeViewState(() => panel.visible && void session.refresh()),
    panel.onDidDispose(() => {
      session.dispose();
      if (open.get(path)?.session === session) open.delete(path);
      vscode.Disposable.from(...subscriptions).dispose();
    }),
  ];
  panel.webview.html = pageHtml(panel.webview, extensionUri, { name: 'panel', title: panel.title, inlineStyles: true });
}

function servicesOf(coppice: Coppice, panel: vscode.WebviewPanel): PanelServices {
  const { plans, sidecar, library } = coppice;
  return {
    ...{ plans, sidecar, prompts: new PromptList(coppice.context.globalState) },
    host: hostOf(coppice, panel),
    settings: () => settingsOf(coppice),
    neighbours: () => ({
      adapters: library.adapters(),
      checkpoints: library.entries().map(({ path }) => path),
    }),
  };
}

function settingsOf(coppice: Coppice): PanelSettings {
  const { compute, calibration, plus, keep } = coppice.config;
  return { compute, calibration, plus, keep, recordFolders: recordFolders(coppice) };
}

function hostOf({ context, log }: Coppice, { webview }: vscode.WebviewPanel): PanelHost {
  const asset = (name: string): Promise<string> =>
    readFile(vscode.Uri.joinPath(pageFolder(context.extensionUri), name).fsPath, 'utf8');
  return {
    post: (message: HostMessage) => void webview.postMessage(message),
    start: (action, checkpoint) => void vscode.commands.executeCommand(COMMANDS[action], { checkpoint }),
    save,
    copy: async (text) => vscode.env.clipboard.writeText(text),
    open: async (file) => {
      await vscode.window.showTextDocument(vscode.Uri.file(file), { preview: true });
    },
    confirmDeletion: async (count) => {
      const remove = vscode.l10n.t('Delete');
      const question =
        count === 1
          ? vscode.l10n.t('Delete the record of this run?')
          : vscode.l10n.t('Delete the records of {0} runs?', count);
      return (await vscode.window.showWarningMessage(question, { modal: true }, remove)) === remove;
    },
    reportAssets: async () => ({ script: await asset('report.js'), style: await asset('report.css') }),
    logError: (error) => log.error(error instanceof Error ? error : String(error)),
    trusted: () => vscode.workspace.isTrusted,
  };
}

/** Where the last file went, the next one is offered a place. */
let lastFolder: vscode.Uri | undefined;

async function save(name: string, content: FileContent): Promise<void> {
  const folder = lastFolder ?? vscode.workspace.workspaceFolders?.[0]?.uri;
  const defaultUri = folder && vscode.Uri.joinPath(folder, basename(name));
  const target = await vscode.window.showSaveDialog({
    ...(defaultUri && { defaultUri }),
    title: vscode.l10n.t('Save {0}', basename(name)),
  });
  if (!target) return;
  lastFolder = target.with({ path: dirname(target.path) });
  const bytes = 'text' in content ? Buffer.from(content.text, 'utf8') : Buffer.from(content.base64, 'base64');
  try {
    await vscode.workspace.fs.writeFile(target, bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`${target.fsPath} cannot be written`, why, 'Choose another place.', { cause: error });
  }
}
