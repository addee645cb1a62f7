/**
 * The checkpoints that the user sees: found in the workspace, or opened by hand and remembered. Each is opened (headers
 * only) when it is first needed, and again when its files change.
 */
import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { Config } from '../host/config';
import { openGguf } from '../engine/formats/gguf/file';
import { summarizeGguf } from '../engine/checkpoint/gguf-summary';
import { openCheckpoint } from '../engine/checkpoint/open';
import type { Summary } from '../engine/checkpoint/summary';
import type { Checkpoint } from '../engine/checkpoint/types';
import { messageOf, UserError } from '../engine/errors';
import { readStopped, type StoppedTraining } from '../engine/retrain/loop/stopped';
import { canonicalPath } from './canonical';
import { CheckpointCache } from './checkpoint-cache';
import { findCheckpoints, WEIGHT_FILES } from './discovery';
import { isGguf } from './group-files';

const REMEMBERED = 'openedCheckpoints';
/** Files change in bursts: a download, a rename, a checkout. */
const SETTLE_MS = 400;
/** Files that name a checkpoint; else a folder does. */
const WEIGHTS = /\.(safetensors|json|gguf)$/;

export interface Entry {
  /** The folder or file that names the checkpoint. */
  readonly path: string;
  readonly origin: 'workspace' | 'opened';
}

export class CheckpointLibrary implements vscode.Disposable {
  private found: readonly string[] = [];
  private opened: readonly string[];
  private adapterFolders: readonly string[] = [];
  private foundGgufs: readonly string[] = [];
  private stopped: readonly StoppedTraining[] = [];
  private truncated = false;
  private readonly cache = new CheckpointCache(openCheckpoint);
  private readonly ggufCache = new CheckpointCache(async (path) => summarizeGguf(await openGguf(path)));
  /** Of what was opened from outside the workspace, which the watchers of the workspace do not see; by folder. */
  private readonly outside = new Map<string, vscode.Disposable>();
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

  /** Checkpoints in safetensors. */
  entries(): readonly Entry[] {
    return this.listed(this.found, (path) => !isGguf(path));
  }

  /** GGUF files, which can be inspected and nothing else. */
  ggufs(): readonly Entry[] {
    return this.listed(this.foundGgufs, isGguf);
  }

  /** Whether the workspace holds more weight files than were looked at. */
  get isTruncated(): boolean {
    return this.truncated;
  }

  /** Folders of adapters in the workspace. */
  adapters(): readonly string[] {
    return this.adapterFolders;
  }

  /** Trainings in the workspace that were stopped and can be gone on with. */
  trainings(): readonly StoppedTraining[] {
    return this.stopped;
  }

  /** The checkpoint at `path`, opened when it was not. @throws UserError for what cannot be opened */
  load(path: string): Promise<Checkpoint> {
    return this.cache.load(path);
  }

  /** The checkpoint at `path` if it is open already. */
  peek(path: string): Checkpoint | undefined {
    return this.cache.peek(path);
  }

  /** What the header of a GGUF file says. @throws UserError for what cannot be read */
  loadGguf(path: string): Promise<Summary> {
    return this.ggufCache.load(path);
  }

  /** The path that a checkpoint is, or would be, listed by. @throws UserError when there is nothing to open */
  async resolve(named: string): Promise<string> {
    return this.entries().some(({ path }) => path === named) ? named : canonicalPath(named);
  }

  /** Adds a checkpoint by hand. @returns it, and the path that it is listed by @throws UserError for what cannot be opened */
  async open(named: string): Promise<{ readonly path: string; readonly checkpoint: Checkpoint }> {
    const path = await this.resolve(named);
    const checkpoint = await this.load(path);
    await this.list(path);
    return { path, checkpoint };
  }

  /** Adds a GGUF file by hand. @returns its summary @throws UserError for what cannot be read */
  async openGguf(path: string): Promise<Summary> {
    const summary = await this.loadGguf(path);
    await this.list(path);
    return summary;
  }

  /** Forgets what was opened by hand. Nothing on disk is touched. */
  async close(paths: readonly string[]): Promise<void> {
    await this.remember(this.opened.filter((other) => !paths.includes(other)));
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
    this.cache.forget(path);
    this.ggufCache.forget(path);
    this.changed.fire(path);
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const subscription of [...this.subscriptions, ...this.outside.values()]) subscription.dispose();
    this.changed.dispose();
  }

  private async search(): Promise<void> {
    const { checkpoints, adapters, ggufs, trainings, truncated } = await findCheckpoints(this.config.discoveryExclude);
    const stopped = await this.readTrainings(trainings);
    if (truncated) this.log.warn('The workspace has too many weight files: some are not listed.');
    const steps = (): string[] => this.stopped.map(({ out, step }) => `${out} ${step}`);
    const list = (): string =>
      [...this.found, '', ...this.adapterFolders, '', ...this.foundGgufs, '', ...steps(), this.truncated].join('\n');
    const before = list();
    this.found = checkpoints;
    this.adapterFolders = adapters;
    this.foundGgufs = ggufs;
    this.stopped = stopped;
    this.truncated = truncated;
    const same = list() === before;
    this.forgetVanished();
    if (this.scanned && same) return;
    this.scanned = true;
    this.changed.fire(undefined);
  }

  /** What was found, then what was opened by hand. */
  private listed(found: readonly string[], isOfKind: (path: string) => boolean): Entry[] {
    const others = this.opened.filter((path) => isOfKind(path) && !found.includes(path));
    return [
      ...found.map((path) => ({ path, origin: 'workspace' as const })),
      ...others.map((path) => ({ path, origin: 'opened' as const })),
    ];
  }

  /** Lists what was opened by hand, where it is not listed yet. */
  private async list(path: string): Promise<void> {
    if ([...this.entries(), ...this.ggufs()].some((entry) => entry.path === path)) return;
    await this.remember([...this.opened, path]);
    this.changed.fire(undefined);
  }

  /** A damaged state is reported in the log and has no line in the view. */
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

  /** What is not listed any more takes no memory. */
  private forgetVanished(): void {
    const listed = new Set([...this.entries(), ...this.ggufs()].map(({ path }) => path));
    for (const cache of [this.cache, this.ggufCache]) {
      for (const path of cache.paths) if (!listed.has(path)) cache.forget(path);
    }
  }

  private watch(): void {
    const weights = vscode.workspace.createFileSystemWatcher(WEIGHT_FILES);
    const configs = vscode.workspace.createFileSystemWatcher('**/config.json');
    const again = (): void => this.rescanSoon();
    this.watchOutside();
    this.subscriptions.push(
      this.follow(weights),
      this.follow(configs),
      // A folder that is moved or removed as a whole says nothing of the files in it.
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

  /** A watcher a folder outside the workspace in which something is opened, and none for the others. */
  private watchOutside(): void {
    const folders = this.opened
      .map((path) => (WEIGHTS.test(path) ? dirname(path) : path))
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

  /** Whatever `watcher` sees is opened afresh, and looked for. */
  private follow(watcher: vscode.FileSystemWatcher): vscode.Disposable {
    const touched = ({ fsPath }: vscode.Uri): void => {
      for (const path of [...this.cache.paths, ...this.ggufCache.paths]) {
        if (path === fsPath || path === dirname(fsPath) || dirname(path) === dirname(fsPath)) this.forget(path);
      }
      this.rescanSoon();
    };
    const events = [watcher.onDidCreate(touched), watcher.onDidChange(touched), watcher.onDidDelete(touched)];
    return vscode.Disposable.from(watcher, ...events);
  }

  /** Searches the workspace once what happens has settled; what goes wrong is in the log. */
  rescanSoon(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.rescan().catch((error: unknown) => this.log.error(`The search for checkpoints failed: ${String(error)}`));
    }, SETTLE_MS);
  }
}

/** Any error as one that the user can be shown. */
export function asUserError(error: unknown, what: string): UserError {
  if (error instanceof UserError) return error;
  return new UserError(what, messageOf(error), vscode.l10n.t('See the log for details.'));
}
