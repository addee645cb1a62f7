/**
 * The view "Jobs": what runs, waits, was stopped, failed and is done. It computes nothing and reads records only while it
 * is seen. A line keeps its id, and only lines that read otherwise than before are drawn again.
 */
import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import { messageOf } from '../../engine/errors';
import { Debounce, Throttle } from '../../sidecar/timers';
import { itemOf } from './item';
import { type JobLine, type JobSources, linesOf } from '../../state/jobs/line';
import { type NewestRuns, RunHistory, RUNS_AT_FIRST } from '../../state/jobs/run-history';
import { type LineWords, wordsOf } from '../../state/jobs/words';

const VIEW_ID = 'coppice.jobs';
/** Progress comes many times a second. A line that is drawn again may lose a click: it is not drawn too often. */
const PROGRESS_MS = 1000;
/** Jobs end and write their records at about the same time. */
const SETTLE_MS = 150;
/** "5 minutes ago" goes on. */
const CLOCK_MS = 60_000;

/** A line, the same object as long as it is listed: VS Code knows it by that. */
export class JobNode {
  constructor(
    readonly key: string,
    public line: JobLine,
    public words: LineWords,
  ) {}
}

export const isJobNode = (value: unknown): value is JobNode => value instanceof JobNode;

/** Where the view gets its lines from. */
export interface JobsModel {
  /** Everything but the runs, at this moment. */
  sources(): Omit<JobSources, keyof NewestRuns>;
  /** Folders of records. */
  folders(): readonly string[];
  /** Something but progress has changed. */
  readonly onChange: (listener: () => void) => { dispose(): void };
  readonly onProgress: (listener: () => void) => { dispose(): void };
}

export class JobsView implements vscode.TreeDataProvider<JobNode>, vscode.Disposable {
  readonly history = new RunHistory();
  private readonly changed = new vscode.EventEmitter<JobNode | undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view: vscode.TreeView<JobNode>;
  private nodes: readonly JobNode[] = [];
  private newest: NewestRuns = { runs: [], hasMore: false };
  private most = RUNS_AT_FIRST;
  /** Nobody has looked at the lines yet, or they have changed unseen. */
  private isStale = true;
  private reading: Promise<void> = Promise.resolve();
  private readonly progress = new Throttle(PROGRESS_MS, () => this.show());
  private readonly changes = new Debounce(SETTLE_MS, () => void this.readAgain());
  private readonly subscriptions: { dispose(): void }[];
  private watching: { readonly folders: string; readonly watcher: vscode.Disposable } | undefined;

  constructor(
    private readonly model: JobsModel,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.view = vscode.window.createTreeView(VIEW_ID, { treeDataProvider: this, canSelectMany: true });
    const clock = setInterval(() => this.view.visible && this.show(), CLOCK_MS);
    this.subscriptions = [
      this.view,
      this.progress,
      this.changes,
      { dispose: () => clearInterval(clock) },
      this.view.onDidChangeVisibility(({ visible }) => visible && this.isStale && void this.readAgain()),
      model.onChange(() => this.somethingChanged()),
      model.onProgress(() => this.view.visible && this.progress.ask()),
    ];
  }

  async getChildren(node?: JobNode): Promise<JobNode[]> {
    if (node) return [];
    if (this.isStale) {
      await this.read();
      this.reconcile();
    }
    return [...this.nodes];
  }

  getTreeItem(node: JobNode): vscode.TreeItem {
    return itemOf(node, node.line, node.words);
  }

  getParent(): undefined {
    return undefined;
  }

  /** Lists older runs too. */
  async showMore(): Promise<void> {
    this.most += RUNS_AT_FIRST;
    await this.readAgain();
  }

  /** Looks at the folders again. */
  async readAgain(): Promise<void> {
    await this.read();
    this.show();
  }

  /** The lines as they were drawn last. */
  get lines(): readonly JobNode[] {
    return this.nodes;
  }

  /** The lines that a key applies to: the focused line, or all selected ones if it is one of them. */
  linesAbout(focused: JobNode): readonly JobNode[] {
    const { selection } = this.view;
    return selection.includes(focused) ? selection : [focused];
  }

  private somethingChanged(): void {
    this.isStale = true;
    if (!this.view.visible) return;
    this.show(); // what runs, at once
    this.changes.ask();
  }

  /** Reads one after the other: the last one reads what is there last. */
  private read(): Promise<void> {
    this.reading = this.reading.then(async () => {
      const folders = this.model.folders();
      this.watch(folders);
      try {
        this.newest = await this.history.newest(folders, this.most);
      } catch (error) {
        this.log.warn(`The records of runs cannot be listed: ${messageOf(error)}`);
      }
      this.isStale = false;
    });
    return this.reading;
  }

  private show(): void {
    const { isSame, changed } = this.reconcile();
    if (!isSame) this.changed.fire(undefined);
    else for (const node of changed) this.changed.fire(node);
  }

  /** Takes over the present lines. @returns whether they are the same, in the same order, and those that read otherwise now */
  private reconcile(): { readonly isSame: boolean; readonly changed: readonly JobNode[] } {
    const now = Date.now();
    const before = this.nodes;
    const known = new Map(before.map((node) => [node.key, node]));
    const changed: JobNode[] = [];
    this.nodes = linesOf({ ...this.model.sources(), ...this.newest }).map((line) => {
      const words = wordsOf(line, now);
      const node = known.get(line.key);
      if (!node) return new JobNode(line.key, line, words);
      if (node.line.kind !== line.kind || !isDeepStrictEqual(node.words, words)) changed.push(node);
      node.line = line;
      node.words = words;
      return node;
    });
    const isSame = before.length === this.nodes.length && before.every((node, i) => node === this.nodes[i]);
    return { isSame, changed };
  }

  /** Other windows and the command line write records too. */
  private watch(folders: readonly string[]): void {
    const key = folders.join('\n');
    if (this.watching?.folders === key) return;
    this.watching?.watcher.dispose();
    const watchers = folders.map((folder) => {
      const files = new vscode.RelativePattern(vscode.Uri.file(folder), '*.json');
      const watcher = vscode.workspace.createFileSystemWatcher(files, false, true);
      const changed = (): void => this.somethingChanged();
      return vscode.Disposable.from(watcher, watcher.onDidCreate(changed), watcher.onDidDelete(changed));
    });
    this.watching = { folders: key, watcher: vscode.Disposable.from(...watchers) };
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    this.watching?.watcher.dispose();
    this.changed.dispose();
  }
}
