/**
 * The checkpoints in the view: found in the workspace, or opened by hand and remembered. Each is opened (headers
 * only) on first use, and again when its files change.
 */
import { existsSync } from 'node:fs';
import { Debounce } from '../sidecar/timers';
import * as vscode from 'vscode';
import type { Config } from './config';
import { openCheckpoint } from '../engine/checkpoint/open';
import type { Checkpoint } from '../engine/checkpoint/types';
import { messageOf, UserError } from '../engine/errors';
import { isInside } from '../engine/files/paths';
import { readStopped, type StoppedTraining } from '../engine/retrain/loop/stopped';
import { canonicalPath } from './canonical';
import { CheckpointCache, folderOf, isOf } from './checkpoint-cache';
import { findCheckpoints, ONNX_MODELS, WEIGHT_FILES } from './discovery';
import { type OnnxFolder, OnnxFolders } from './onnx-folders';

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
  private patchFiles: readonly string[] = [];
  private widthFiles: readonly string[] = [];
  private onnx: readonly OnnxFolder[] = [];
  private stopped: readonly StoppedTraining[] = [];
  private truncated = false;
  private readonly onnxFolders: OnnxFolders;
  private readonly cache = new CheckpointCache(openCheckpoint);
  /** Watchers of folders outside the workspace, which the workspace watchers do not cover. */
  private readonly outside = new Map<string, vscode.Disposable>();
  private readonly subscriptions: vscode.Disposable[] = [];
  private readonly changed = new vscode.EventEmitter<string | undefined>();
  private readonly changes = new Debounce(SETTLE_MS, () => {
    this.rescan().catch((error: unknown) => this.log.error(`The search for checkpoints failed: ${String(error)}`));
  });
  private scan: Promise<void> | undefined;
  private scanned = false;

  /** The path of the checkpoint that changed, or undefined for the list itself. */
  readonly onDidChange = this.changed.event;
  private readonly loaded = new vscode.EventEmitter<void>();
  /** A checkpoint was opened that was not open before. */
  readonly onDidLoad = this.loaded.event;

  constructor(
    private readonly config: Config,
    private readonly state: vscode.Memento,
    private readonly log: vscode.LogOutputChannel,
  ) {
    const remembered = state.get<unknown>(REMEMBERED);
    this.opened = Array.isArray(remembered) ? remembered.filter((path) => typeof path === 'string') : [];
    this.onnxFolders = new OnnxFolders(state);
    this.watch();
  }

  /** Whether a search of the workspace has finished. */
  get isScanned(): boolean {
    return this.scanned;
  }

  /** Found checkpoints first, then those opened by hand. */
  entries(): readonly Entry[] {
    const others = this.opened.filter((path) => !this.found.includes(path));
    return [
      ...this.found.map((path) => ({ path, origin: 'workspace' as const })),
      ...others.map((path) => ({ path, origin: 'opened' as const })),
    ];
  }

  /** Whether the workspace has more weight files than the search reads. */
  get isTruncated(): boolean {
    return this.truncated;
  }

  /** Folders of adapters in the workspace. */
  adapters(): readonly string[] {
    return this.adapterFolders;
  }

  /** Files of healed weights in the workspace. */
  patches(): readonly string[] {
    return this.patchFiles;
  }

  /** Files of widths in the workspace. */
  widths(): readonly string[] {
    return this.widthFiles;
  }

  /** Exported folders of ONNX models: of the workspace, and those that were written elsewhere. */
  exports(): readonly OnnxFolder[] {
    return this.onnx;
  }

  /** Lists a folder that was written. */
  async showExport(folder: string): Promise<void> {
    await this.onnxFolders.remember(folder);
    await this.rescan();
  }

  /** Stopped trainings in the workspace. */
  trainings(): readonly StoppedTraining[] {
    return this.stopped;
  }

  /** Returns the checkpoint at `path`, and opens it if needed. @throws UserError when it cannot be opened */
  load(path: string): Promise<Checkpoint> {
    const isOpen = this.cache.peek(path) !== undefined;
    const loading = this.cache.load(path);
    if (!isOpen) {
      loading.then(
        () => this.loaded.fire(),
        () => undefined, // the caller that asked for it is told
      );
    }
    return loading;
  }

  /** The checkpoint at `path` if it is already open. */
  peek(path: string): Checkpoint | undefined {
    return this.cache.peek(path);
  }

  /** The path that a checkpoint has, or would have, in the list. @throws UserError when there is nothing to open */
  async resolve(named: string): Promise<string> {
    return this.entries().some(({ path }) => path === named) ? named : canonicalPath(named);
  }

  /** Adds a checkpoint by hand. @returns it and its path in the list @throws UserError when it cannot be opened */
  async open(named: string): Promise<{ readonly path: string; readonly checkpoint: Checkpoint }> {
    const path = await this.resolve(named);
    const checkpoint = await this.load(path);
    if (!this.entries().some((entry) => entry.path === path)) {
      await this.remember([...this.opened, path]);
      this.changed.fire(undefined);
    }
    return { path, checkpoint };
  }

  /** Removes checkpoints that were opened by hand from the list. Files stay unchanged. */
  async close(paths: readonly string[]): Promise<void> {
    await this.remember(this.opened.filter((other) => !paths.includes(other)));
    this.changed.fire(undefined);
  }

  /** Searches the workspace. Calls during a search wait for the next search. */
  async rescan(): Promise<void> {
    const before = this.scan;
    if (before) await before;
    this.scan ??= this.search().finally(() => {
      this.scan = undefined;
    });
    await this.scan;
  }

  /** Forgets `path`, so that the next use opens it again. */
  forget(path: string): void {
    this.cache.forget(path);
    this.changed.fire(path);
  }

  dispose(): void {
    this.changes.dispose();
    for (const subscription of [...this.subscriptions, ...this.outside.values()]) subscription.dispose();
    this.changed.dispose();
    this.loaded.dispose();
  }

  private async search(): Promise<void> {
    const { checkpoints, adapters, patches, widths, onnx, trainings, truncated } = await findCheckpoints(
      this.config.discoveryExclude,
    );
    const stopped = await this.readTrainings(trainings);
    const exported = await this.onnxFolders.list(onnx);
    if (truncated) this.log.warn('The workspace has too many weight files: some are not listed.');
    const steps = (): string[] => this.stopped.map(({ out, step }) => `${out} ${step}`);
    const lists = (): (readonly string[])[] => [
      this.found,
      this.adapterFolders,
      this.patchFiles,
      this.widthFiles,
      this.onnx.map(({ path, finished }) => `${path} ${finished}`),
      steps(),
    ];
    const list = (): string => JSON.stringify([...lists(), this.truncated]);
    const before = list();
    this.found = checkpoints;
    this.adapterFolders = adapters;
    this.patchFiles = patches;
    this.widthFiles = widths;
    this.onnx = exported;
    this.stopped = stopped;
    this.truncated = truncated;
    const same = list() === before;
    this.forgetVanished();
    for (const path of this.opened) if (this.cache.paths.includes(path) && !existsSync(path)) this.forget(path);
    if (this.scanned && same) return;
    this.scanned = true;
    this.changed.fire(undefined);
  }

  /** Reads training states. A damaged state is logged and not listed. */
  private async readTrainings(outs: readonly string[]): Promise<StoppedTraining[]> {
    const read = await Promise.all(
      outs.map((out) =>
        readStopped(out).catch((error: unknown) => {
          this.log.warn(`${out}.training is not listed: ${String(error)}`);
          return undefined;
        }),
      ),
    );
    return read.filter((training) => training !== undefined);
  }

  private async remember(paths: readonly string[]): Promise<void> {
    this.opened = paths;
    this.watchOutside();
    await this.state.update(REMEMBERED, paths);
  }

  /** Frees the memory of checkpoints that are no longer listed. */
  private forgetVanished(): void {
    const listed = new Set(this.entries().map(({ path }) => path));
    for (const path of this.cache.paths) if (!listed.has(path)) this.cache.forget(path);
  }

  private watch(): void {
    const weights = vscode.workspace.createFileSystemWatcher(WEIGHT_FILES);
    // A folder that a program removes as a whole sends one event, for itself.
    const removals = vscode.workspace.createFileSystemWatcher('**', true, true, false);
    const onnx = vscode.workspace.createFileSystemWatcher(ONNX_MODELS);
    const configs = vscode.workspace.createFileSystemWatcher('**/config.json');
    const again = (): void => this.rescanSoon();
    this.watchOutside();
    this.subscriptions.push(
      this.follow(weights),
      this.follow(configs),
      this.follow(onnx),
      removals,
      removals.onDidDelete(({ fsPath }) => this.places().some((path) => isInside(path, fsPath)) && again()),
      // A folder that is moved or removed as a whole sends no events for its files.
      vscode.workspace.onDidCreateFiles(again),
      vscode.workspace.onDidDeleteFiles(again),
      vscode.workspace.onDidRenameFiles(again),
      vscode.workspace.onDidChangeWorkspaceFolders(() => {
        this.watchOutside();
        again();
      }),
      vscode.window.onDidChangeWindowState(({ focused }) => focused && again()),
      this.config.onChange(['discovery.exclude'], again),
    );
  }

  /** Paths of everything that is listed. */
  private places(): string[] {
    return [...this.entries().map(({ path }) => path), ...this.adapterFolders, ...this.onnx.map(({ path }) => path)];
  }

  /** Watches the folders outside the workspace that have opened checkpoints, and only those. */
  private watchOutside(): void {
    const folders = this.opened
      .map(folderOf)
      .filter((folder) => !vscode.workspace.getWorkspaceFolder(vscode.Uri.file(folder)));
    for (const [folder, watching] of this.outside) {
      if (folders.includes(folder)) continue;
      watching.dispose();
      this.outside.delete(folder);
    }
    for (const folder of folders) {
      if (this.outside.has(folder)) continue;
      const files = new vscode.RelativePattern(vscode.Uri.file(folder), '*.{safetensors,json,gguf}');
      this.outside.set(folder, this.follow(vscode.workspace.createFileSystemWatcher(files)));
    }
  }

  /** Forgets changed files and searches again when `watcher` reports a change. */
  private follow(watcher: vscode.FileSystemWatcher): vscode.Disposable {
    const touched = ({ fsPath }: vscode.Uri): void => {
      for (const path of this.cache.paths) {
        if (isOf(path, fsPath)) this.forget(path);
      }
      this.rescanSoon();
    };
    const events = [watcher.onDidCreate(touched), watcher.onDidChange(touched), watcher.onDidDelete(touched)];
    return vscode.Disposable.from(watcher, ...events);
  }

  /** Searches the workspace once changes have settled. Errors go to the log. */
  rescanSoon(): void {
    this.changes.ask();
  }
}

/** Turns any error into one with a text for the user. */
export function asUserError(error: unknown, what: string): UserError {
  if (error instanceof UserError) return error;
  return new UserError(what, messageOf(error), vscode.l10n.t('See the log for details.'));
}
