/** The read-only custom editor for safetensors files, their indexes, and GGUF files. */
import { messageOf } from '../engine/errors';
import { Debounce } from '../sidecar/timers';
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import * as vscode from 'vscode';
import type { Coppice } from '../host/coppice';
import { requireTrusted } from '../host/restricted';
import type { FromEditorPage, ModelAction } from '../protocol/editor';
import { type EditorHost, EditorSession } from './editor-session';
import type { Inspection } from './inspection';
import { pageFolder, pageHtml } from './page-html';

/** The editor that opens files of weights by default. */
export const CHECKPOINT_EDITOR = 'coppice.checkpoint';
/** The same editor for indexes. They are JSON and open as text unless the user chooses this editor. */
export const INDEX_EDITOR = 'coppice.checkpointIndex';

/** Waits for this long after a change, because programs write files in many small steps. */
const SETTLE_MS = 300;

type EditorServices = Pick<Coppice, 'context' | 'sidecar' | 'log' | 'library'>;

const COMMANDS: Readonly<Record<ModelAction, string>> = {
  score: 'coppice.scoreBlocks',
  results: 'coppice.openResults',
  reveal: 'coppice.openCheckpoint',
};

/** Registers the editor. */
export function registerCheckpointEditor(coppice: EditorServices): vscode.Disposable {
  const editor = new CheckpointEditor(coppice);
  const options = { supportsMultipleEditorsPerDocument: true };
  return vscode.Disposable.from(
    ...[CHECKPOINT_EDITOR, INDEX_EDITOR].map((type) => {
      return vscode.window.registerCustomEditorProvider(type, editor, options);
    }),
  );
}

class CheckpointEditor implements vscode.CustomReadonlyEditorProvider {
  constructor(private readonly coppice: EditorServices) {}

  openCustomDocument(uri: vscode.Uri): vscode.CustomDocument {
    return { uri, dispose: () => undefined };
  }

  resolveCustomEditor({ uri }: vscode.CustomDocument, panel: vscode.WebviewPanel): void {
    const { context, log } = this.coppice;
    const { webview } = panel;
    const session = new EditorSession(this.hostOf(uri, panel), () => inspect(uri));
    const run = (work: Promise<void>): void => void work.catch((error: unknown) => log.error(error as Error));
    const changes = new Debounce(SETTLE_MS, () => run(session.refresh()));
    const refresh = (): void => changes.ask();
    const subscriptions = [
      webview.onDidReceiveMessage((message: FromEditorPage) => run(session.receive(message))),
      vscode.workspace.onDidGrantWorkspaceTrust(refresh),
      ...watch(uri, refresh),
    ];
    panel.onDidDispose(() => {
      changes.dispose();
      session.dispose();
      vscode.Disposable.from(...subscriptions).dispose();
    });
    webview.options = { enableScripts: true, localResourceRoots: [pageFolder(context.extensionUri)] };
    webview.html = pageHtml(webview, context.extensionUri, { name: 'editor', title: basename(uri.path) });
  }

  /** The model gets a line in the view, where its scores and its plan are. */
  private async act(file: string, action: ModelAction): Promise<void> {
    const { library, log } = this.coppice;
    try {
      const { path } = await library.open(file);
      await vscode.commands.executeCommand(COMMANDS[action], { checkpoint: path });
    } catch (error) {
      log.warn(`${file} has no line in the view: ${messageOf(error)}`);
      await vscode.commands.executeCommand(COMMANDS[action], { checkpoint: file }); // which shows the error
    }
  }

  private hostOf(uri: vscode.Uri, { webview }: vscode.WebviewPanel): EditorHost {
    const { sidecar, log } = this.coppice;
    return {
      post: (message) => void webview.postMessage(message),
      copy: (text) => void vscode.env.clipboard.writeText(text),
      act: (action) => void this.act(uri.fsPath, action),
      openText: () => void vscode.commands.executeCommand('vscode.openWith', uri, 'default'),
      statistics: async (tensor, onProgress, signal) => {
        requireTrusted(vscode.workspace.isTrusted);
        const id = randomUUID();
        const listening = sidecar.onProgress((progress) => {
          if (progress.id === id) onProgress(progress.done, progress.total);
        });
        try {
          return await sidecar.request('tensor/statistics', { id, checkpoint: uri.fsPath, tensor }, signal);
        } finally {
          listening.dispose();
        }
      },
      unexpected: (error) => log.error(error instanceof Error ? error : String(error)),
    };
  }
}

async function inspect(uri: vscode.Uri): Promise<Inspection> {
  if (uri.scheme !== 'file') return unreadable(uri);
  const { inspectFile } = await import('./inspection');
  const { description, rows } = await inspectFile(uri.fsPath);
  if (vscode.workspace.isTrusted) return { description, rows };
  const { t } = vscode.l10n;
  const noStatistics = description.noStatistics ?? t('Statistics are not available in Restricted Mode.');
  const cannotRun = t('Coppice runs nothing in Restricted Mode.');
  const actions = description.actions && { ...description.actions, cannotRun };
  return { description: { ...description, noStatistics, ...(actions && { actions }) }, rows };
}

/** For versions in Git and files of virtual file systems, which have no ranges to read. */
function unreadable(uri: vscode.Uri): Inspection {
  const problem = {
    severity: 'error',
    what: vscode.l10n.t('{0} cannot be read', basename(uri.path)),
    why: vscode.l10n.t('it is not a file on the local disk ({0})', uri.scheme),
    action: vscode.l10n.t('Open a local copy.'),
  } as const;
  const description = {
    name: basename(uri.path),
    format: '',
    facts: [],
    problems: [problem],
    problemCount: 1,
    strip: [],
    config: [],
    metadata: [],
    shards: [],
    tensors: 0,
  };
  return { description, rows: [] };
}

/** Watches the file and the config next to it. */
function watch(uri: vscode.Uri, changed: () => void): vscode.Disposable[] {
  if (uri.scheme !== 'file') return [];
  const folder = vscode.Uri.joinPath(uri, '..');
  return [basename(uri.path), 'config.json'].flatMap((name) => {
    const watcher = vscode.workspace.createFileSystemWatcher(new vscode.RelativePattern(folder, escapeGlob(name)));
    return [watcher, watcher.onDidChange(changed), watcher.onDidCreate(changed), watcher.onDidDelete(changed)];
  });
}

const escapeGlob = (name: string): string => name.replace(/[[\]{}*?]/g, '[$&]');
