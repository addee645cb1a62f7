/**
 * The checkpoints that the user sees: found in the workspace, or opened by hand and remembered. Each is opened (headers
 * only) when it is first needed, and again when its files change.
 */
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { Config } from '../config';
import { openCheckpoint } from '../engine/checkpoint/open';
import type { Checkpoint } from '../engine/checkpoint/types';
import { UserError } from '../engine/errors';
import { findCheckpoints, WEIGHT_FILES } from './discovery';

const REMEMBERED = 'openedCheckpoints';
/** Files change in bursts: a download, a rename, a checkout. */
const SETTLE_MS = 400;

export interface Entry {
  /** The folder or file that names the checkpoint. */
  readonly path: string;
  readonly origin: 'workspace' | 'opened';
}

export class CheckpointLibrary implements vscode.Disposable {
  private found: readonly string[] = [];
  private opened: readonly string[];
  private adapterFolders: readonly string[] = [];
  private readonly loading = new Map<string, Promise<Checkpoint>>();
  private readonly loaded = new Map<string, Checkpoint>();
  private readonly subscriptions: vscode.Disposable[] = [];
  private readonly changed = new vscode.EventEmitter<string | undefined>();
  private timer: NodeJS.Timeout | undefined;
  private scan: Promise<void> | undefined;
  private scanned = false;

  /** The path of the checkpoint that changed, or undefined for the list itself. */
  readonly onDidChange = this.changed.event;

  constructor(
    private readonly config: Config,
    private readonly state: vscode.Memento,
    private readonly log: vscode.LogOutputChannel,
  ) {
    const remembered = state.get<unknown>(REMEMBERED);
    this.opened = Array.isArray(remembered) ? remembered.filter((path) => typeof path === 'string') : [];
    this.watch();
  }

  /** Whether the workspace was searched to the end, once. */
  get isScanned(): boolean {
    return this.scanned;
  }

  entries(): readonly Entry[] {
    const workspace = this.found.map((path) => ({ path, origin: 'workspace' as const }));
    const others = this.opened.filter((path) => !this.found.includes(path));
    return [...workspace, ...others.map((path) => ({ path, origin: 'opened' as const }))];
  }

  /** Folders of adapters in the workspace. */
  adapters(): readonly string[] {
    return this.adapterFolders;
  }

  /** The checkpoint at `path`, opened when it was not. @throws UserError for what cannot be opened */
  load(path: string): Promise<Checkpoint> {
    let opening = this.loading.get(path);
    if (!opening) {
      opening = openCheckpoint(path);
      this.loading.set(path, opening);
      opening.then(
        (checkpoint) => this.loaded.set(path, checkpoint),
        () => this.loading.get(path) === opening && this.loading.delete(path), // it may be there the next time
      );
    }
    return opening;
  }

  /** The checkpoint at `path` if it is open already. */
  peek(path: string): Checkpoint | undefined {
    return this.loaded.get(path);
  }

  /** Adds a checkpoint by hand. @returns it @throws UserError for what cannot be opened */
  async open(path: string): Promise<Checkpoint> {
    const checkpoint = await this.load(path);
    if (!this.entries().some((entry) => entry.path === path)) {
      await this.remember([...this.opened, path]);
      this.changed.fire(undefined);
    }
    return checkpoint;
  }

  /** Forgets a checkpoint that was opened by hand. Nothing on disk is touched. */
  async close(path: string): Promise<void> {
    await this.remember(this.opened.filter((other) => other !== path));
    this.changed.fire(undefined);
  }

  /** Searches the workspace; calls that come while one runs wait for a further one. */
  async rescan(): Promise<void> {
    const before = this.scan;
    if (before) await before;
    this.scan ??= this.search().finally(() => {
      this.scan = undefined;
    });
    await this.scan;
  }

  /** Opens `path` afresh when it is next needed. */
  forget(path: string): void {
    this.loading.delete(path);
    this.loaded.delete(path);
    this.changed.fire(path);
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const subscription of this.subscriptions) subscription.dispose();
    this.changed.dispose();
  }

  private async search(): Promise<void> {
    const { checkpoints, adapters, truncated } = await findCheckpoints(this.config.discoveryExclude);
    if (truncated) this.log.warn('The workspace holds so many weight files that not all of them were looked at.');
    const same =
      checkpoints.join('\n') === this.found.join('\n') && adapters.join('\n') === this.adapterFolders.join('\n');
    this.found = checkpoints;
    this.adapterFolders = adapters;
    if (this.scanned && same) return;
    this.scanned = true;
    this.changed.fire(undefined);
  }

  private async remember(paths: readonly string[]): Promise<void> {
    this.opened = paths;
    await this.state.update(REMEMBERED, paths);
  }

  private watch(): void {
    const weights = vscode.workspace.createFileSystemWatcher(WEIGHT_FILES);
    const configs = vscode.workspace.createFileSystemWatcher('**/config.json');
    const again = (): void => this.rescanSoon();
    const touched = ({ fsPath }: vscode.Uri): void => {
      for (const path of [...this.loading.keys()]) {
        if (path === fsPath || path === dirname(fsPath) || dirname(path) === dirname(fsPath)) this.forget(path);
      }
      this.rescanSoon();
    };
    for (const watcher of [weights, configs]) {
      this.subscriptions.push(
        watcher,
        watcher.onDidCreate(touched),
        watcher.onDidChange(touched),
        watcher.onDidDelete(touched),
      );
    }
    this.subscriptions.push(
      // A folder that is moved or removed as a whole says nothing of the files in it.
      vscode.workspace.onDidCreateFiles(again),
      vscode.workspace.onDidDeleteFiles(again),
      vscode.workspace.onDidRenameFiles(again),
      vscode.workspace.onDidChangeWorkspaceFolders(again),
      vscode.window.onDidChangeWindowState(({ focused }) => focused && again()),
      this.config.onChange(['discovery.exclude'], again),
    );
  }

  private rescanSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.rescan().catch((error: unknown) => this.log.error(`The search for checkpoints failed: ${String(error)}`));
    }, SETTLE_MS);
  }
}

/** Any error as one that the user can be shown. */
export function asUserError(error: unknown, what: string): UserError {
  if (error instanceof UserError) return error;
  return new UserError(
    what,
    error instanceof Error ? error.message : String(error),
    vscode.l10n.t('The log has more.'),
  );
}
