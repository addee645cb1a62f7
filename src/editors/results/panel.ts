/** The results panels: one a checkpoint, brought back after a reload, made by "Coppice: Open Results". */
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import * as vscode from 'vscode';
import { chooseCheckpoint } from '../../host/choose-checkpoint';
import type { Command } from '../../host/command';
import { givenFiles } from '../../host/given-files';
import { inform } from '../../host/inform';
import { recordFolders } from '../../host/run-job';
import type { Coppice } from '../../host/coppice';
import { messageOf, UserError } from '../../engine/errors';
import { isInside } from '../../engine/files/paths';
import { modelName } from '../../engine/records/record';
import { hasChatTemplate } from '../../engine/tokenizer/files';
import type { FileContent, HostMessage, PanelMessage, PanelText } from '../../protocol/panel';
import { pageFolder, pageHtml } from '../page-html';
import { failureOf } from './failures';
import { PlanHistories } from './plan-history';
import { PromptList } from './prompts';
import type { PanelHost, PanelServices, PanelSettings } from './services';
import { ResultsSession } from './session';
import { Trainings } from './trainings';

const PANEL = 'coppice.results';

/** What each start of the panel runs. */
const COMMANDS = {
  score: 'coppice.scoreBlocks',
  prune: 'coppice.pruneCheckpoint',
  retrain: 'coppice.retrainLora',
} as const;

const open = new Map<string, OpenPanel>();
/** From the activation on. */
let following: Trainings | undefined;
let histories: PlanHistories | undefined;

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
    await new OpenPanel(coppice, panel, chosen.path).show();
  },
};

/** Brings panels back that were open when the window was closed, and follows trainings for those that are opened later. */
export function registerResultsPanels(coppice: Coppice): vscode.Disposable {
  const trainings = (following = new Trainings(
    coppice.sidecar,
    (error) => failureOf(error, (fault) => logError(coppice, fault)),
    () => coppice.library.trainings(),
  ));
  const noting = (histories = new PlanHistories(coppice.plans, coppice.context.workspaceState));
  return vscode.Disposable.from(
    trainings,
    noting,
    vscode.window.registerWebviewPanelSerializer(PANEL, {
      async deserializeWebviewPanel(panel, state: unknown) {
        const path =
          typeof state === 'object' && state !== null && 'checkpoint' in state ? state.checkpoint : undefined;
        if (typeof path !== 'string') {
          panel.dispose(); // it was closed before it showed a checkpoint
          return;
        }
        try {
          await new OpenPanel(coppice, panel, path).show();
        } catch (error) {
          coppice.log.warn(`a results panel was not restored: ${messageOf(error)}`);
          panel.dispose();
        }
      },
    }),
    coppice.library.onDidChange((path) => {
      for (const [shown, panel] of open) {
        if (path === undefined) void panel.session?.refresh();
        else if (path === shown) void panel.reload();
      }
    }),
    coppice.config.onChange([], () => {
      for (const { session } of open.values()) session?.settingsChanged();
    }),
    vscode.workspace.onDidGrantWorkspaceTrust(() => {
      for (const { session } of open.values()) session?.trusted();
    }),
    { dispose: () => open.clear() },
  );
}

/** One panel for as long as it is open, whatever session it shows: its checkpoint's files may become others. */
class OpenPanel {
  session: ResultsSession | undefined;
  /** How often it was shown, so that of two that read at the same time the later one stays. */
  private turn = 0;

  constructor(
    private readonly coppice: Coppice,
    readonly panel: vscode.WebviewPanel,
    private readonly path: string,
  ) {
    open.set(path, this);
    const subscriptions = [
      panel.webview.onDidReceiveMessage((message: PanelMessage) => void this.session?.receive(message)),
      panel.onDidChangeViewState(() => panel.visible && void this.session?.refresh()),
      panel.onDidDispose(() => {
        this.end();
        if (open.get(path) === this) open.delete(path);
        vscode.Disposable.from(...subscriptions).dispose();
      }),
    ];
  }

  /** Reads the checkpoint and shows it in place of what was shown. @throws UserError when it cannot be opened */
  async show(): Promise<void> {
    const { coppice, panel, path } = this;
    this.end();
    const { turn } = this;
    const checkpoint = await coppice.library.load(path);
    const chat = await hasChatTemplate(checkpoint.folder);
    if (turn !== this.turn) return; // closed meanwhile, or its files are others again
    const { extensionUri } = coppice.context;
    panel.webview.options = { enableScripts: true, localResourceRoots: [pageFolder(extensionUri)] };
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icon.png');
    const services = servicesOf(coppice, panel);
    this.session = new ResultsSession({ path, checkpoint }, services, chat);
    const page = { name: 'panel', title: panel.title, inlineStyles: true } as const;
    panel.webview.html = pageHtml(panel.webview, extensionUri, page);
  }

  /** The checkpoint's files are others now: everything is read again. */
  async reload(): Promise<void> {
    const turn = this.turn + 1;
    try {
      await this.show();
    } catch {
      if (turn === this.turn) this.panel.dispose(); // it is gone, which the tree says
    }
  }

  private end(): void {
    this.turn++;
    this.session?.dispose();
    this.session = undefined;
  }
}

function servicesOf(coppice: Coppice, panel: vscode.WebviewPanel): PanelServices {
  const { plans, scores, sidecar, library } = coppice;
  return {
    ...{ trainings: following!, histories: histories! },
    ...{ plans, scores, sidecar, prompts: new PromptList(coppice.context.globalState) },
    host: hostOf(coppice, panel),
    settings: () => settingsOf(coppice),
    neighbours: () => ({
      adapters: library.adapters(),
      checkpoints: library.entries().map(({ path }) => path),
    }),
    load: (path) => library.load(path),
  };
}

function settingsOf(coppice: Coppice): PanelSettings {
  const { compute, calibration, keepEnds, keep } = coppice.config;
  return {
    compute,
    calibration,
    keepEnds,
    keep,
    recordFolders: recordFolders(coppice),
    inputFolders: inputFolders(coppice),
  };
}

/** What the workspace, the view, the settings and the user's runs name; the bundled texts lie beside the sample model. */
function inputFolders(coppice: Coppice): string[] {
  const { config, context, library } = coppice;
  const workspace = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
  const checkpoints = library.entries().map(({ path }) => path);
  const media = vscode.Uri.joinPath(context.extensionUri, 'media').fsPath;
  return [...workspace, ...checkpoints, ...givenFiles(coppice), dirname(config.calibration.file), media];
}

const logError = ({ log }: Coppice, error: unknown): void => log.error(error instanceof Error ? error : String(error));

function hostOf(coppice: Coppice, { webview }: vscode.WebviewPanel): PanelHost {
  const { context } = coppice;
  const asset = (name: string): Promise<string> =>
    readFile(vscode.Uri.joinPath(pageFolder(context.extensionUri), name).fsPath, 'utf8');
  return {
    post: (message: HostMessage) => void webview.postMessage(message),
    start: (action, checkpoint) => void vscode.commands.executeCommand(COMMANDS[action], { checkpoint }),
    show: (checkpoint) => void vscode.commands.executeCommand(openResultsCommand.id, { checkpoint }),
    chooseText,
    nameOf: (file) => nameOf(coppice, file),
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
    logError: (error) => logError(coppice, error),
    trusted: () => vscode.workspace.isTrusted,
    manageTrust: () => void vscode.commands.executeCommand('workbench.trust.manage'),
  };
}

/** A file that comes with the extension has a path that means nothing to the user, so it is named as Coppice's. */
function nameOf({ context }: Coppice, file: string): string {
  const isOwn = isInside(file, context.extensionUri.fsPath);
  return isOwn ? vscode.l10n.t('Bundled sample text ({0})', basename(file)) : vscode.workspace.asRelativePath(file);
}

async function chooseText(known: readonly PanelText[]): Promise<PanelText | string | undefined> {
  const items = known.map((text) => ({
    label: text.name,
    description: vscode.l10n.t('{0} samples of {1} tokens, seed {2}', text.samples, text.length, text.seed),
    detail: ORIGINS()[text.from],
    text,
  }));
  const browse = { label: vscode.l10n.t('Browse…'), description: vscode.l10n.t('Another text file'), text: undefined };
  const picked = await vscode.window.showQuickPick([...items, browse], {
    title: vscode.l10n.t('Text for Perplexity'),
    placeHolder: vscode.l10n.t('Which text should perplexity be measured on?'),
  });
  if (!picked) return undefined;
  if (picked.text) return picked.text;
  const filters = { [vscode.l10n.t('Texts')]: ['txt', 'md', 'jsonl', 'ndjson', 'json'] };
  return (await vscode.window.showOpenDialog({ canSelectMany: false, filters }))?.[0]?.fsPath;
}

const ORIGINS = (): Readonly<Record<PanelText['from'], string>> => ({
  scores: vscode.l10n.t('Blocks were scored on this text'),
  setting: vscode.l10n.t('From the settings'),
  choice: vscode.l10n.t('Chosen before'),
});

/** Where the last file went, the next one is offered a place. */
let lastFolder: vscode.Uri | undefined;

async function save(name: string, content: FileContent, proposed?: string): Promise<void> {
  const usual = lastFolder ?? vscode.workspace.workspaceFolders?.[0]?.uri;
  const folder = proposed === undefined ? usual : vscode.Uri.file(proposed);
  const defaultUri = folder && vscode.Uri.joinPath(folder, basename(name));
  const target = await vscode.window.showSaveDialog({
    ...(defaultUri && { defaultUri }),
    title: vscode.l10n.t('Save {0}', basename(name)),
  });
  if (!target) return;
  if (proposed === undefined) lastFolder = target.with({ path: dirname(target.path) });
  const bytes = 'text' in content ? Buffer.from(content.text, 'utf8') : Buffer.from(content.base64, 'base64');
  try {
    await vscode.workspace.fs.writeFile(target, bytes);
  } catch (error) {
    const why = messageOf(error);
    const what = vscode.l10n.t('{0} cannot be written', target.fsPath);
    throw new UserError(what, why, vscode.l10n.t('Choose another location.'), { cause: error });
  }
  // A report opens in the browser; any other file is only revealed.
  const open = { label: vscode.l10n.t('Open in Browser'), run: () => vscode.env.openExternal(target) };
  const reveal = {
    label: vscode.l10n.t('Reveal'),
    run: () => vscode.commands.executeCommand('revealFileInOS', target),
  };
  const saved = vscode.l10n.t('Saved {0}.', basename(target.path));
  inform({}, saved, ...(/\.html?$/.test(target.path) ? [open] : []), reveal);
}
