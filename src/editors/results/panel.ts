/** The results panels: one per checkpoint. */
import { existsSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Coppice } from '../../host/coppice';
import type { Checkpoint } from '../../engine/checkpoint/types';
import { modelName } from '../../engine/records/record';
import { chatKindOf } from '../../engine/tokenizer/instruct';
import type { PanelMessage } from '../../protocol/panel';
import { pageFolder, pageHtml } from '../page-html';
import { followedParts, open, PANEL } from './panel-list';
import { servicesOf } from './panel-host';
import { ResultsSession } from './session';

/**
 * Opens the panel of a checkpoint, or reveals it if it is open.
 * @param run that its charts draw
 * @throws UserError when the checkpoint cannot be opened
 */
export async function openResults(coppice: Coppice, path: string, checkpoint: Checkpoint, run?: string): Promise<void> {
  const there = open.get(path);
  if (there) {
    there.panel.reveal();
    if (run !== undefined) await there.session?.showRun(run);
    return;
  }
  const title = vscode.l10n.t('Results: {0}', modelName(checkpoint));
  const panel = vscode.window.createWebviewPanel(PANEL, title, vscode.ViewColumn.Active, {
    enableScripts: true,
    enableFindWidget: true,
    localResourceRoots: [pageFolder(coppice.context.extensionUri)],
  });
  const opened = new OpenPanel(coppice, panel, path);
  await opened.show();
  if (run !== undefined) await opened.session?.showRun(run);
}

/** Closes the panel of a checkpoint, if it is open. */
export function closeResults(path: string): void {
  open.get(path)?.panel.dispose();
}

/** An open panel. It gets a new session when its checkpoint's files change. */
export class OpenPanel {
  session: ResultsSession | undefined;
  /** Counts sessions, so that the later one of two concurrent reads stays. */
  private turn = 0;
  private hidden: () => void = () => undefined;

  constructor(
    private readonly coppice: Coppice,
    readonly panel: vscode.WebviewPanel,
    private readonly path: string,
  ) {
    open.set(path, this);
    this.tellVisible();
    const subscriptions = [
      panel.webview.onDidReceiveMessage((message: PanelMessage) => void this.session?.receive(message)),
      panel.onDidChangeViewState(() => {
        this.tellVisible();
        if (panel.visible) void this.session?.refresh();
      }),
      panel.onDidDispose(() => {
        this.hidden();
        this.end();
        if (open.get(path) === this) open.delete(path);
        vscode.Disposable.from(...subscriptions).dispose();
      }),
    ];
  }

  /** Reads the checkpoint and shows it in a new session. @throws UserError when it cannot be opened */
  async show(): Promise<void> {
    const { coppice, panel, path } = this;
    this.end();
    const { turn } = this;
    const checkpoint = await coppice.library.load(path);
    const { home, architecture } = checkpoint;
    const chat = await chatKindOf(home, modelName(checkpoint), architecture?.eosTokenIds);
    if (turn !== this.turn) return; // the panel was closed, or the files changed again
    const { extensionUri } = coppice.context;
    panel.webview.options = { enableScripts: true, localResourceRoots: [pageFolder(extensionUri)] };
    panel.iconPath = vscode.Uri.joinPath(extensionUri, 'media', 'icon.png');
    const services = servicesOf(coppice, panel, followedParts());
    this.session = new ResultsSession({ path, checkpoint }, services, chat);
    const page = { name: 'panel', title: panel.title, inlineStyles: true } as const;
    panel.webview.html = pageHtml(panel.webview, extensionUri, page);
  }

  /** Reads everything again, because the checkpoint's files have changed. What was measured stays to be read without them. */
  async reload(): Promise<void> {
    const before = this.session;
    const isThere = await this.coppice.library.load(this.path).then(
      () => true,
      () => false,
    );
    if (this.session !== before) return; // the files changed again, or the panel was closed
    if (isThere) await this.show();
    else before?.found(false);
  }

  /** The list of checkpoints has changed: this one may be gone, or back. */
  async filesMoved(): Promise<void> {
    const { session } = this;
    const isThere = existsSync(this.path);
    if (session && isThere && !session.isThere) return this.reload();
    session?.found(isThere);
    await session?.refresh();
  }

  /** Jobs of the checkpoint show nothing over a panel that is seen. */
  private tellVisible(): void {
    this.hidden();
    this.hidden = this.panel.visible ? this.coppice.panels.shown(this.path) : () => undefined;
  }

  private end(): void {
    this.turn++;
    this.session?.dispose();
    this.session = undefined;
  }
}
